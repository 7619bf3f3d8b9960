/// What an operation cost.
public struct OperationStatistics: Sendable, Hashable {
    /// The payload bytes that this rank sent.
    public var wireBytes: Int
    /// The bytes of the elements that they stood for: more, where they were compressed.
    public var elementBytes: Int
    /// What this rank's encodings changed, if it was asked for.
    public var encodingError: EncodingError?
    /// The time from the operation's start on this rank to its end, waiting in the queue not counted.
    public var duration: Duration
    /// The name of the algorithm that ran.
    public var algorithm: String
}

/// By how much the encodings of one rank changed what it sent, in an operation.
public struct EncodingError: Sendable, Hashable {
    /// The largest change of an element.
    public var largest: Float = 0
    /// The elements that were encoded.
    public var elementCount = 0
    /// The sum of the changes' squares.
    var squares = 0.0

    /// The root-mean-square change.
    public var rootMeanSquare: Double {
        elementCount == 0 ? 0 : (squares / Double(elementCount)).squareRoot()
    }

    /// Takes note of the changes of some elements.
    mutating func add(_ errors: UnsafeMutablePointer<Float>, count: Int, divisor: Float) {
        var largest: Float = 0
        var squares = 0.0
        for index in 0..<count {
            let error = errors[index].magnitude / divisor
            largest = max(largest, error)
            squares += Double(error) * Double(error)
        }
        add(EncodingError(largest: largest, elementCount: count, squares: squares))
    }

    /// Takes note of those of others.
    mutating func add(_ other: EncodingError) {
        largest = max(largest, other.largest)
        elementCount += other.elementCount
        squares += other.squares
    }
}
