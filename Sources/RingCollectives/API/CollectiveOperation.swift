public import RingCore

/// A collective with its arguments, to be handed to ``Communicator/start(_:)`` or ``Communicator/run(_:)``.
///
/// The memory that it names belongs to the caller: it must stay valid and untouched until the operation has ended.
///
/// Every operation comes in two forms: for elements whose type is known when the program is compiled, and for bytes
/// with a `DataType` that is known when it runs. Most come in place, where the result replaces the input, and from one
/// buffer into another. Where ranks have shares of a whole, these are those of `Partition(count, worldSize)`, or of the
/// sizes given as `counts`.
public struct CollectiveOperation: @unchecked Sendable {
    // The pointers are only followed by the engine, under the contract above.

    /// Which collective.
    public let collective: Collective
    /// The type of the elements.
    public let dataType: DataType
    /// How elements are combined, where they are.
    public let op: ReductionOperator?
    /// The root, where there is one.
    public let root: Rank?
    /// The algorithm; by default the library chooses.
    public var algorithm: Algorithm = .automatic
    /// How long the operation may take; nil: the communicator's default.
    public var timeout: Duration?

    /// How elements are encoded on their way between ranks; all ranks must say the same.
    public var compression: Compression = .none
    /// What compression took away from earlier contributions, to be added to this one.
    public var feedback: ErrorFeedback?
    /// Whether ``OperationStatistics/encodingError`` is to be reported.
    public var measuresError = false

    /// What is read; nil in place, and where nothing is.
    let input: UnsafeRawBufferPointer?
    /// What is written; in place, read as well.
    let output: UnsafeMutableRawBufferPointer
    /// How the elements are shared out, if the caller says.
    let sizes: ShareSizes?
    /// The other end, of a send or a receive.
    let message: MessageRequest?
    /// What tells messages between the same two ranks apart.
    let tag: UInt32
    /// What owns the memory, to live as long as the operation.
    var owners: [any AnyObject & Sendable] = []

    init(
        _ collective: Collective, _ dataType: DataType, op: ReductionOperator? = nil, root: Rank? = nil,
        input: UnsafeRawBufferPointer? = nil, output: UnsafeMutableRawBufferPointer, sizes: ShareSizes? = nil,
        message: MessageRequest? = nil, tag: UInt32 = 0
    ) {
        self.collective = collective
        self.dataType = dataType
        self.op = op
        self.root = root
        self.input = input
        self.output = output
        self.sizes = sizes
        self.message = message
        self.tag = tag
    }

    /// The same operation by another algorithm.
    public func using(_ algorithm: Algorithm) -> CollectiveOperation {
        var copy = self
        copy.algorithm = algorithm
        return copy
    }

    /// The same operation, compressed on its way.
    ///
    /// All-reduce, reduce, reduce-scatter, all-gather and broadcast can be. Every rank gets the same result, bit for bit:
    /// also whoever has the elements before, as the root of a broadcast, has afterwards what the others received.
    ///
    /// - Parameters:
    ///   - feedback: For a sum or an average by all-reduce, with as many elements; or nil.
    ///   - measuringError: Whether ``OperationStatistics/encodingError`` is to be reported, which takes time.
    public func compressed(
        _ compression: Compression, feedback: ErrorFeedback? = nil, measuringError: Bool = false
    ) -> CollectiveOperation {
        var copy = self
        copy.compression = compression
        copy.feedback = feedback
        copy.measuresError = measuringError
        return copy
    }

    /// The same operation with a time limit of its own.
    public func within(_ timeout: Duration) -> CollectiveOperation {
        var copy = self
        copy.timeout = timeout
        return copy
    }

    /// Ends on no rank before it has begun on all.
    public static func barrier() -> CollectiveOperation {
        CollectiveOperation(.barrier, .uint8, output: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }
}

/// How many elements each rank has of the whole, as the caller of a collective says it.
enum ShareSizes: Hashable, Sendable {
    /// All have as many, or as nearly as can be, of so many.
    case even(of: Int)
    /// Each rank's, by rank; empty where the caller need not know them.
    case counts([Int])
    /// All-to-all: what this rank sends to, and receives from, each.
    case exchange(sends: [Int], receives: [Int])
}
