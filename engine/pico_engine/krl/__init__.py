"""KRL, the language of picos: from text to a ruleset that runs within limits."""
