/// Where a rank's elements lie in its buffers before and after a collective.
///
/// All elements that a collective moves are numbered through, over all ranks: their *global indices*. Ranks that
/// reduce hold different contributions to the same global index; ranks that copy hold the same element. A layout
/// says which global indices are where, which is all that filling and checking need to know of a collective.
struct BufferLayout: Equatable, Sendable {
    /// A run of consecutive elements in a buffer.
    struct Piece: Equatable, Sendable {
        /// Where in the buffer the run starts, in elements.
        var offset: Int
        /// The global indices of its elements.
        var elements: Range<Int>
    }

    /// The size of the input buffer, in elements.
    var inputCount: Int
    /// The size of the output buffer, in elements. In place, one buffer of the larger size serves as both.
    var outputCount: Int
    /// What the rank puts in.
    var input: [Piece]
    /// What it gets out.
    var output: [Piece]
}

extension BufferLayout {
    /// The layout of a collective that takes and gives consecutive elements of one whole buffer.
    ///
    /// In place, each element lies where it does in the whole; out of place, the buffers hold just what goes
    /// in and what comes out.
    init(whole count: Int, input: Range<Int>, output: Range<Int>, inPlace: Bool) {
        self.init(
            inputCount: inPlace ? count : input.count,
            outputCount: inPlace ? count : output.count,
            input: [Piece(offset: inPlace ? input.lowerBound : 0, elements: input)],
            output: [Piece(offset: inPlace ? output.lowerBound : 0, elements: output)])
    }
}
