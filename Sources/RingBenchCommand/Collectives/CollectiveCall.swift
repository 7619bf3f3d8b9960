import RingCore

/// One call of a collective, with everything that distinguishes it known only at run time.
struct CollectiveCall {
    var collective: Collective
    var dataType: DataType
    /// How many elements the whole buffer has.
    var count: Int
    /// This rank and how many there are, for a collective that differs by rank.
    var rank: Rank
    var ranks: Int
    /// How elements are combined, where the collective reduces.
    var op: ReductionOperator
    /// The root, where the collective has one.
    var root: Rank
    /// The input of an out-of-place call; nil in place.
    ///
    /// It and ``output`` are valid for as long as the ``BenchmarkBuffers`` that they came from.
    var input: UnsafeRawBufferPointer?
    /// The output; in place, the input as well.
    var output: UnsafeMutableRawBufferPointer
    /// The algorithm by name; nil lets the library choose.
    var algorithm: String?
    /// How elements are compressed on their way.
    var compression: Compression = .none
    /// Whether what is sent is sent back: see ``BenchmarkSettings/isPingPong``.
    var isPingPong = false
    /// The call's deadline; nil leaves the library's.
    var timeout: Duration?
}
