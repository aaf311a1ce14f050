"""Verilog and VHDL of a constant array: loops over arrays, as long for any number of products.

Names after a dollar are signals of the block, which MyHDL fills in.
"""
from hdl.plan.arrays import ArrayWork

VERILOG = """
// {name}: nothing writes these arrays, and all of each work in every cycle.
reg signed [{weight_high}:0] {name}_weight [0:{weight_last}];
reg signed [{bias_high}:0] {name}_bias [0:{output_last}];
reg [{multiplier_high}:0] {name}_multiplier [0:{output_last}];
reg [{shift_high}:0] {name}_shift [0:{output_last}];
initial begin
    $$readmemh("{weights}.mem", {name}_weight);
    $$readmemh("{biases}.mem", {name}_bias);
    $$readmemh("{multipliers}.mem", {name}_multiplier);
    $$readmemh("{shifts}.mem", {name}_shift);
end

// Registers of the pipeline; the last of them leaves.
reg signed [{sum_high}:0] {name}_sum [0:{element_last}];
reg signed [{scaled_high}:0] {name}_scaled [0:{element_last}];
reg [{tile_high}:0] {name}_output;
assign $tile = {name}_output;
// Wires between them.
reg [{pixel_high}:0] {name}_pixel;
reg signed [{x_high}:0] {name}_x [0:{x_last}];
reg signed [{x_high}:0] {name}_window [0:{window_last}];
reg [{result_high}:0] {name}_result;
reg [{tile_high}:0] {name}_tile;

function signed [63:0] {name}_dot (input integer first, input integer output_channel);
    integer k, at;
    reg signed [63:0] total;
    begin
        total = 0;
        at = {operand_first};
        for (k = first; k < first + {inputs}; k = k + 1) begin
            total = total + {name}_window[at] * {name}_weight[k];
            at = at + {operand_step};
        end
        {name}_dot = total;
    end
endfunction

function signed [63:0] {name}_saturated (input signed [{scaled_high}:0] scaled);
    reg signed [63:0] rounded;
    begin
        rounded = scaled;
        rounded = (rounded + 1) >>> 1;
        if (rounded > {high})
            rounded = {high};
        else if (rounded < {low})
            rounded = {low};
        {name}_saturated = rounded;
    end
endfunction

always @(posedge $clk) begin : {name}_compute
    integer place, i, j, row, column, channel, n, e;
    reg outside;
    reg signed [63:0] wide;
    if ($saturate) begin
        e = 0;
        for (place = 0; place < {places}; place = place + 1) begin
            for (channel = 0; channel < {outputs}; channel = channel + 1) begin
                wide = {name}_saturated({name}_scaled[e]);
                {name}_result[channel * {bits_out} +: {bits_out}] = wide[{out_high}:0];
                e = e + 1;
            end
            {name}_tile[place * {result_bits} +: {result_bits}] = {name}_result;
        end
        {name}_output <= {name}_tile;
    end
    if ($scale) begin
        e = 0;
        for (place = 0; place < {places}; place = place + 1)
            for (channel = 0; channel < {outputs}; channel = channel + 1) begin
                wide = {name}_sum[e] + {name}_bias[channel];
                wide = wide * $$signed({{1'b0, {name}_multiplier[channel]}});
                {name}_scaled[e] = wide >>> ({name}_shift[channel] + {shift_base});
                e = e + 1;
            end
    end
    if ($multiply) begin
        e = 0;
        for (place = 0; place < {pixels}; place = place + 1) begin
            {name}_pixel = $data[place * {pixel_bits} +: {pixel_bits}];
            for (channel = 0; channel < {channels}; channel = channel + 1) begin
                {name}_x[e] = {element};
                e = e + 1;
            end
        end
        e = 0;
        for (i = 0; i < {side}; i = i + 1)
            for (j = 0; j < {side}; j = j + 1) begin
                n = 0;
                for (row = 0; row < {kernel}; row = row + 1)
                    for (column = 0; column < {kernel}; column = column + 1) begin
                        place = (({first} + {stride} * i + row) * {patch} + {first} + {stride} * j
                                 + column) * {channels};
                        outside = {outside};
                        for (channel = 0; channel < {channels}; channel = channel + 1) begin
                            if (outside)
                                {name}_window[n] = 0;
                            else
                                {name}_window[n] = {name}_x[place + channel];
                            n = n + 1;
                        end
                    end
                for (channel = 0; channel < {outputs}; channel = channel + 1) begin
                    {name}_sum[e] = {name}_dot(channel * {inputs}, channel);
                    e = e + 1;
                end
            end
    end
end
"""

INTEGER_BITS = 31   # of VHDL's integer, without its sign
INTEGER = {"kind": "integer", "value": "to_integer(signed(word))"}      # of a weight
AT_ONCE = 64        # products that are summed as integers, which simulate quickly
HIGH_PRODUCT = """
                                high_sum := high_sum + window_high(at) * {name}_weight(n);"""

VHDL_ARRAY = """
    type {name}_{array}_array is array (0 to {last}) of {kind};

    impure function {name}_{array}_content return {name}_{array}_array is
        file mem_file : text open read_mode is "{file}.mem";
        variable hex_line : line;
        variable word : std_logic_vector({high} downto 0);
        variable content : {name}_{array}_array;
    begin
        for n in content'range loop
            readline(mem_file, hex_line);
            hread(hex_line, word);
            content(n) := {value};
        end loop;
        return content;
    end function;

    constant {name}_{array} : {name}_{array}_array := {name}_{array}_content;
"""

VHDL = """
    -- All elements of these arrays work in every cycle.
{arrays}
    type {name}_x_array is array (natural range <>) of integer;
    type {name}_sum_array is array (0 to {element_last}) of signed({sum_high} downto 0);
    type {name}_scaled_array is array (0 to {element_last}) of signed({scaled_high} downto 0);
begin
    process ($clk) is
        -- Registers of the pipeline, the last of them $tile.
        variable sums : {name}_sum_array;
        variable scaled : {name}_scaled_array;
        -- Wires between them.
        variable x : {name}_x_array(0 to {x_last});
        variable window_x, window_high : {name}_x_array(0 to {window_last});
        variable pixel : unsigned({pixel_high} downto 0);
        variable result : unsigned({result_high} downto 0);
        variable tile_word : unsigned({tile_high} downto 0);
        variable total : signed({sum_high} downto 0);
        variable rounded : signed({scaled_high} downto 0);
        variable corner, n, e, at : natural;
        -- Sums of few enough products for an integer, of the low and the high parts of elements.
        variable low_sum, high_sum : integer;
        variable outside : boolean;
    begin
        if rising_edge($clk) then
            if $saturate = '1' then
                e := 0;
                for place in 0 to {places} - 1 loop
                    for channel in 0 to {outputs} - 1 loop
                        rounded := shift_right(scaled(e) + 1, 1);
                        if rounded > {high} then
                            rounded := to_signed({high}, {scaled_bits});
                        elsif rounded < {low} then
                            rounded := to_signed({low}, {scaled_bits});
                        end if;
                        result((channel + 1) * {bits_out} - 1 downto channel * {bits_out}) :=
                            unsigned(rounded({out_high} downto 0));
                        e := e + 1;
                    end loop;
                    tile_word((place + 1) * {result_bits} - 1 downto place * {result_bits}) :=
                        result;
                end loop;
                $tile <= tile_word;
            end if;
            if $scale = '1' then
                e := 0;
                for place in 0 to {places} - 1 loop
                    for channel in 0 to {outputs} - 1 loop
                        scaled(e) := resize(shift_right(
                            (resize(sums(e), {biased_bits}) + {name}_bias(channel))
                            * signed('0' & {name}_multiplier(channel)),
                            to_integer({name}_shift(channel)) + {shift_base}), {scaled_bits});
                        e := e + 1;
                    end loop;
                end loop;
            end if;
            if $multiply = '1' then
                e := 0;
                for place in 0 to {pixels} - 1 loop
                    pixel := $data((place + 1) * {pixel_bits} - 1 downto place * {pixel_bits});
                    for channel in 0 to {channels} - 1 loop
                        x(e) := {element};
                        e := e + 1;
                    end loop;
                end loop;
                e := 0;
                for i in 0 to {side} - 1 loop
                    for j in 0 to {side} - 1 loop
                        n := 0;
                        for row in 0 to {kernel} - 1 loop
                            for column in 0 to {kernel} - 1 loop
                                corner := (({first} + {stride} * i + row) * {patch} + {first}
                                          + {stride} * j + column) * {channels};
                                outside := {outside};
                                for channel in 0 to {channels} - 1 loop
                                    if outside then
                                        window_x(n) := 0;
                                    else
                                        window_x(n) := x(corner + channel);
                                    end if;
                                    window_high(n) := {high_part};
                                    window_x(n) := {low_part};
                                    n := n + 1;
                                end loop;
                            end loop;
                        end loop;
                        n := 0;
                        for channel in 0 to {outputs} - 1 loop
                            total := (others => '0');
                            at := {operand_first};
                            low_sum := 0;
                            high_sum := 0;
                            for k in 1 to {inputs} loop
                                low_sum := low_sum + window_x(at) * {name}_weight(n);{high_product}
                                at := at + {operand_step};
                                n := n + 1;
                                if k mod {at_once} = 0 or k = {inputs} then
                                    total := total + low_sum + shift_left(
                                        to_signed(high_sum, {sum_bits}), {part_bits});
                                    low_sum := 0;
                                    high_sum := 0;
                                end if;
                            end loop;
                            sums(e) := total;
                            e := e + 1;
                        end loop;
                    end loop;
                end loop;
            end if;
        end if;
    end process;
"""


def numbers(work: ArrayWork) -> dict[str, str | int]:
    """What both texts have in common."""
    geometry, lanes, bits = work.geometry, work.shape_in.lanes, work.shape_in.bits
    outputs, multiplier = work.shape_out.lanes, work.multipliers.bits
    x_bits = bits if work.shape_in.signed else bits + 1
    result_bits = outputs * work.shape_out.bits
    return {
        "name": work.name, "weights": work.weights.name, "biases": work.biases.name,
        "multipliers": work.multipliers.name, "shifts": work.shifts.name,
        "weight_high": work.weights.bits - 1, "weight_last": len(work.weights.values) - 1,
        "bias_high": work.biases.bits - 1, "multiplier_high": multiplier - 1,
        "shift_high": work.shifts.bits - 1, "shift_base": work.shift_base - 1,
        "sum_bits": work.sum_bits, "sum_high": work.sum_bits - 1,
        "biased_bits": work.biased_bits,
        "scaled_bits": work.scaled_bits, "scaled_high": work.scaled_bits - 1,
        "x_high": x_bits - 1, "x_last": geometry.patch ** 2 * lanes - 1,
        "window_last": work.taps * lanes - 1, "element_last": work.places * outputs - 1,
        "pixel_high": lanes * bits - 1, "pixel_bits": lanes * bits,
        "result_high": result_bits - 1, "result_bits": result_bits,
        "tile_high": work.places * result_bits - 1,
        "bits_out": work.shape_out.bits, "out_high": work.shape_out.bits - 1,
        "low": work.limits[0], "high": work.limits[1],
        "places": work.places, "outputs": outputs, "output_last": outputs - 1,
        "inputs": work.inputs, "channels": lanes, "pixels": geometry.patch ** 2,
        "side": geometry.tile_out, "kernel": geometry.kernel, "first": geometry.first,
        "stride": geometry.stride, "patch": geometry.patch,
        "operand_step": 1 if work.shared else lanes}


def verilog_text(work: ArrayWork) -> str:
    """The Verilog of an array."""
    field_ = f"{work.name}_pixel[channel * {work.shape_in.bits} +: {work.shape_in.bits}]"
    outside = " || ".join(
        f"{'row' if edge.axis == 0 else 'column'} == {edge.tap} && {'ij'[edge.axis]} == "
        f"{edge.place} && {'ij'[1 - edge.axis]} {'<' if edge.before else '>='} "
        f"{work.geometry.behind} && $edges[{edge.bit}]" for edge in work.edges)
    return VERILOG.format(
        **numbers(work), outside=outside or "1'b0",
        element=field_ if work.shape_in.signed else f"{{1'b0, {field_}}}",
        operand_first="0" if work.shared else "output_channel")


def vhdl_text(work: ArrayWork) -> str:
    """The VHDL of an array."""
    bits = work.shape_in.bits
    field_ = f"pixel((channel + 1) * {bits} - 1 downto channel * {bits})"
    outside = " or ".join(
        f"({'row' if edge.axis == 0 else 'column'} = {edge.tap} and {'ij'[edge.axis]} = "
        f"{edge.place} and {'ij'[1 - edge.axis]} {'<' if edge.before else '>='} "
        f"{work.geometry.behind} and $edges({edge.bit}) = '1')" for edge in work.edges)
    arrays = "".join(
        VHDL_ARRAY.format(name=work.name, array=array, last=len(values.values) - 1,
                          high=values.bits - 1, file=values.name,
                          **INTEGER if array == "weight" else {
                              "kind": f"{kind}({values.bits - 1} downto 0)",
                              "value": f"{kind}(word)"})
        for array, values, kind in (
            ("weight", work.weights, "signed"), ("bias", work.biases, "signed"),
            ("multiplier", work.multipliers, "unsigned"), ("shift", work.shifts, "unsigned")))
    part = low_part_bits(bits + (not work.shape_in.signed), work.weights.bits)
    return VHDL.format(
        **numbers(work), arrays=arrays, outside=outside or "false",
        element=f"to_integer({'signed' if work.shape_in.signed else 'unsigned'}({field_}))",
        operand_first="0" if work.shared else "channel", at_once=AT_ONCE, part_bits=part,
        low_part=f"window_x(n) mod {1 << part}" if part else "window_x(n)",
        high_part=f"(window_x(n) - window_x(n) mod {1 << part}) / {1 << part}" if part else "0",
        high_product=HIGH_PRODUCT.format(name=work.name) if part else "")


def low_part_bits(x_bits: int, weight_bits: int) -> int:
    """Bits of the lower part of elements that are split so that AT_ONCE products of each part fit
    an integer of VHDL; 0 where whole ones do."""
    fits = INTEGER_BITS - (AT_ONCE - 1).bit_length() - (weight_bits - 1)
    return 0 if x_bits - 1 <= fits else x_bits // 2
