"""MobileNetV2 as hardware.

``layers`` is the table that all begins with; ``plan`` computes what each unit is made of and when
its beats move; ``blocks`` and ``units`` are the MyHDL; ``convert`` writes it as Verilog and VHDL,
``export`` as folders to take home; ``sim`` runs it in four simulators.  ``shape``, ``axis`` and
``beats`` say what a stream is, ``build`` runs tools, ``errors`` names what they and simulations end
in, and ``myhdl_fixes`` is all that reaches inside MyHDL.
"""
