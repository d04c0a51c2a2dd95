"""The rulesets that come with every pico, and examples."""
