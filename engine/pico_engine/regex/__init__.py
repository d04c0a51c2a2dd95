"""Regular expressions of JavaScript that cannot run away."""

from pico_engine.regex.errors import RegexLimitExceeded, RegexSyntaxError
from pico_engine.regex.regex import Match, Regex, compile_regex
from pico_engine.regex.template import expand

__all__ = ["Match", "Regex", "RegexLimitExceeded", "RegexSyntaxError", "compile_regex", "expand"]
