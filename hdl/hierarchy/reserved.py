"""Names that Verilog, SystemVerilog and VHDL all take."""
import functools
import re

# Reserved words of IEEE 1800-2017, annex B, and of IEEE 1076-2008, clause 15.10.
RESERVED = frozenset("""
    abs accept_on access after alias all always always_comb always_ff always_latch and
    architecture array assert assign assume assume_guarantee attribute automatic before begin
    bind bins binsof bit block body break buf buffer bufif0 bufif1 bus byte case casex casez
    cell chandle checker class clocking cmos component config configuration const constant
    constraint context continue cover covergroup coverpoint cross deassign default defparam
    design disable disconnect dist do downto edge else elsif end endcase endchecker endclass
    endclocking endconfig endfunction endgenerate endgroup endinterface endmodule endpackage
    endprimitive endprogram endproperty endsequence endspecify endtable endtask entity enum
    event eventually exit expect export extends extern fairness file final first_match for
    force foreach forever fork forkjoin function generate generic genvar global group guarded
    highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import impure in
    incdir include inertial initial inout input inside instance int integer interconnect
    interface intersect is join join_any join_none label large let liblist library linkage
    literal local localparam logic longint loop macromodule map matches medium mod modport
    module nand negedge nettype new next nexttime nmos nor noshowcancelled not notif0 notif1
    null of on open or others out output package packed parameter pmos port posedge postponed
    primitive priority procedure process program property protected pull0 pull1 pulldown
    pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence range
    rcmos real realtime record ref reg register reject reject_on release rem repeat report
    restrict return rnmos rol ror rpmos rtran rtranif0 rtranif1 s_always s_eventually
    s_nexttime s_until s_until_with scalared select sequence severity shared shortint
    shortreal showcancelled signal signed sla sll small soft solve specify specparam sra srl
    static string strong strong0 strong1 struct subtype super supply0 supply1 sync_accept_on
    sync_reject_on table tagged task then this throughout time timeprecision timeunit to tran
    tranif0 tranif1 transport tri tri0 tri1 triand trior trireg type typedef unaffected union
    unique unique0 units unsigned until until_with untyped use uwire var variable vectored
    virtual vmode void vprop vunit wait wait_order wand weak weak0 weak1 when while wildcard
    wire with within wor xnor xor""".split())
# What VHDL's packages call types and functions that converted text uses.
TAKEN = frozenset("""
    bit bool boolean ieee integer line natural positive resize rising_edge shift_left shift_right
    std std_logic stdl text time to_integer to_signed to_unsigned work""".split())


@functools.lru_cache(maxsize=None)
def legal(name: str) -> str:
    """The name, or one like it that is free in every language: VHDL has no two underscores in a row
    and none at an end."""
    name = re.sub("__+", "_", name).strip("_")
    return f"{name}_i" if name.lower() in RESERVED | TAKEN else name
