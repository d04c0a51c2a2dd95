"""What every KRL ruleset has without `use`: event, ctx, meta, http, schedule, math, random, time."""
