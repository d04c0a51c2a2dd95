"""KRL's regular expressions: those of `pico_engine.regex`, which event expressions need as well."""

from pico_engine.regex import Match, Regex, RegexLimitExceeded, RegexSyntaxError, compile_regex, expand

__all__ = ["Match", "Regex", "RegexLimitExceeded", "RegexSyntaxError", "compile_regex", "expand"]
