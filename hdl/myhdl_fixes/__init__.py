"""All that reaches inside MyHDL; docs/myhdl-conversion.md says why, and when it may go."""
