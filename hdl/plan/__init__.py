"""Numbers alone, without MyHDL: folding, schedule, buffers, configuration, budget."""
