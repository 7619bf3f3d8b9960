public import RingCore
import RingTransport

/// A collective with its arguments, to be handed to ``Communicator/start(_:)`` or ``Communicator/run(_:)``.
///
/// The memory that it names belongs to the caller: it must stay valid and untouched until the operation has ended.
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

    let input: UnsafeRawBufferPointer?
    let output: UnsafeMutableRawBufferPointer

    private init(
        _ collective: Collective, _ dataType: DataType, op: ReductionOperator? = nil, root: Rank? = nil,
        input: UnsafeRawBufferPointer? = nil, output: UnsafeMutableRawBufferPointer
    ) {
        self.collective = collective
        self.dataType = dataType
        self.op = op
        self.root = root
        self.input = input
        self.output = output
    }

    /// The same operation by another algorithm.
    public func using(_ algorithm: Algorithm) -> CollectiveOperation {
        var copy = self
        copy.algorithm = algorithm
        return copy
    }

    /// The same operation with a time limit of its own.
    public func within(_ timeout: Duration) -> CollectiveOperation {
        var copy = self
        copy.timeout = timeout
        return copy
    }
}

/// The name of an algorithm, or the library's own choice.
public struct Algorithm: Hashable, Sendable, CustomStringConvertible {
    /// The name, nil for the library's choice.
    public let name: String?

    /// The algorithm with this name: `ring`, `binomial-tree`. One that the collective does not have is refused when
    /// the operation is submitted.
    public init(name: String) {
        self.name = name == "auto" ? nil : name
    }

    private init() {
        name = nil
    }

    /// The library's choice, the same on all ranks.
    public static let automatic = Algorithm()

    public var description: String { name ?? "auto" }
}

// MARK: Elements whose type is known when the program is compiled

extension CollectiveOperation {
    /// Replaces each element by the combination of all ranks' elements at its place.
    public static func allReduce<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator
    ) -> CollectiveOperation {
        allReduce(UnsafeMutableRawBufferPointer(buffer), Element.dataType, op)
    }

    /// Writes the combinations of all ranks' elements in `input` to `output`, which has as many elements.
    public static func allReduce<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator
    ) -> CollectiveOperation {
        allReduce(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, op)
    }

    /// Combines all ranks' elements; this rank's share of the result, `Partition(count, worldSize)[rank]`, is left in
    /// its place in `buffer`, the rest of which is undefined afterwards.
    public static func reduceScatter<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, _ op: ReductionOperator
    ) -> CollectiveOperation {
        reduceScatter(UnsafeMutableRawBufferPointer(buffer), Element.dataType, op)
    }

    /// Combines all ranks' elements in `input`; `output` takes this rank's share of the result, as many elements as
    /// `Partition(count, worldSize)[rank]` says.
    public static func reduceScatter<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>,
        _ op: ReductionOperator
    ) -> CollectiveOperation {
        reduceScatter(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType, op)
    }

    /// Collects all ranks' shares: before, this rank's is at its place, `Partition(count, worldSize)[rank]` of
    /// `buffer`; afterwards, all are.
    public static func allGather<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>
    ) -> CollectiveOperation {
        allGather(UnsafeMutableRawBufferPointer(buffer), Element.dataType)
    }

    /// Collects all ranks' shares: `input` has this rank's, `Partition(output.count, worldSize)[rank]` elements;
    /// `output` takes all, by rank.
    public static func allGather<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>
    ) -> CollectiveOperation {
        allGather(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output), Element.dataType
        )
    }

    /// Copies the root's elements to all ranks.
    public static func broadcast<Element: CollectiveElement>(
        _ buffer: UnsafeMutableBufferPointer<Element>, root: Rank
    ) -> CollectiveOperation {
        broadcast(UnsafeMutableRawBufferPointer(buffer), Element.dataType, root: root)
    }

    /// Copies the root's `input` to every rank's `output`. Other ranks' `input` is not looked at and may be empty.
    public static func broadcast<Element: CollectiveElement>(
        from input: UnsafeBufferPointer<Element>, into output: UnsafeMutableBufferPointer<Element>, root: Rank
    ) -> CollectiveOperation {
        broadcast(
            from: UnsafeRawBufferPointer(input), into: UnsafeMutableRawBufferPointer(output),
            Element.dataType,
            root: root)
    }

    /// Ends on no rank before it has begun on all.
    public static func barrier() -> CollectiveOperation {
        CollectiveOperation(.barrier, .uint8, output: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }
}

// MARK: Elements whose type is known when the program runs

extension CollectiveOperation {
    /// As the typed form; `bytes` holds elements of `dataType`.
    public static func allReduce(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, _ op: ReductionOperator
    ) -> CollectiveOperation {
        CollectiveOperation(.allReduce, dataType, op: op, output: bytes)
    }

    /// As the typed form.
    public static func allReduce(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        _ op: ReductionOperator
    ) -> CollectiveOperation {
        CollectiveOperation(.allReduce, dataType, op: op, input: input, output: output)
    }

    /// As the typed form.
    public static func reduceScatter(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, _ op: ReductionOperator
    ) -> CollectiveOperation {
        CollectiveOperation(.reduceScatter, dataType, op: op, output: bytes)
    }

    /// As the typed form.
    public static func reduceScatter(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        _ op: ReductionOperator
    ) -> CollectiveOperation {
        CollectiveOperation(.reduceScatter, dataType, op: op, input: input, output: output)
    }

    /// As the typed form.
    public static func allGather(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType
    ) -> CollectiveOperation {
        CollectiveOperation(.allGather, dataType, output: bytes)
    }

    /// As the typed form.
    public static func allGather(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType
    ) -> CollectiveOperation {
        CollectiveOperation(.allGather, dataType, input: input, output: output)
    }

    /// As the typed form.
    public static func broadcast(
        _ bytes: UnsafeMutableRawBufferPointer, _ dataType: DataType, root: Rank
    ) -> CollectiveOperation {
        CollectiveOperation(.broadcast, dataType, root: root, output: bytes)
    }

    /// As the typed form.
    public static func broadcast(
        from input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, _ dataType: DataType,
        root: Rank
    ) -> CollectiveOperation {
        CollectiveOperation(.broadcast, dataType, root: root, input: input, output: output)
    }
}
