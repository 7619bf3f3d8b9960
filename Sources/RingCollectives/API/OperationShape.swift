import RingCore
import RingTransport

/// How large an operation is, and how its elements are shared out: what follows from its buffers and sizes.
struct OperationShape: Hashable, Sendable {
    /// The elements of the whole, as all ranks know them; 0 where a rank need not know them.
    var elementCount: Int
    /// The elements by rank, see `PlanRequest`; nil for the even split.
    var counts: [Int]?
    /// See ``OperationSignature/detail``.
    var detail: UInt32 = 0

    /// Whether a rank may know the counts only as far as they concern itself.
    var isByCounts: Bool { counts != nil && detail == OperationSignature.byCounts }
}

/// Finds the shape of one rank's call, and what cannot be right about it.
struct ShapeFinder {
    let operation: CollectiveOperation
    let rank: Rank
    let worldSize: Int
    /// The elements of the buffers; nil for an input that is not there.
    let inputCount: Int?
    let outputCount: Int

    init(_ operation: CollectiveOperation, rank: Rank, worldSize: Int) {
        self.operation = operation
        self.rank = rank
        self.worldSize = worldSize
        inputCount = operation.input.map { $0.count / operation.dataType.byteCount }
        outputCount = operation.output.count / operation.dataType.byteCount
    }

    /// Why the call cannot be right, without the rank's and the collective's names.
    struct Refusal: Error {
        var reason: String
    }

    /// The shape, if the buffers and sizes fit together as far as this rank can tell.
    func shape() throws(Refusal) -> OperationShape {
        switch operation.collective {
        case .barrier: return OperationShape(elementCount: 0)
        case .allReduce: return try whole(isOutputNeeded: true)
        case .reduce: return try whole(isOutputNeeded: isRoot)
        case .broadcast:
            if let inputCount, isRoot { try requireSame(inputCount, outputCount) }
            return OperationShape(elementCount: outputCount)
        case .reduceScatter: return try shared(whole: ("input", inputCount), share: ("output", outputCount))
        case .allGather: return try shared(whole: ("output", outputCount), share: ("input", inputCount))
        case .gather:
            return try rooted(whole: ("output", outputCount), share: ("input", inputCount ?? outputCount))
        case .scatter:
            return try rooted(whole: ("input", inputCount ?? outputCount), share: ("output", outputCount))
        case .allToAll: return try exchange()
        case .sendReceive:
            return OperationShape(
                elementCount: inputCount ?? outputCount, detail: operation.tag)
        }
    }

    private var isRoot: Bool { rank == operation.root }
    private var isInPlace: Bool { operation.input == nil }

    // MARK: By kind of collective

    /// Every rank has as many elements.
    private func whole(isOutputNeeded: Bool) throws(Refusal) -> OperationShape {
        guard let inputCount else { return OperationShape(elementCount: outputCount) }
        if isOutputNeeded { try requireSame(inputCount, outputCount) }
        return OperationShape(elementCount: inputCount)
    }

    /// Every rank has, or is to have, the whole, and all ranks know all shares.
    private func shared(
        whole: (name: String, count: Int?), share: (name: String, count: Int?)
    ) throws(Refusal) -> OperationShape {
        let count = isInPlace ? outputCount : whole.count ?? 0
        var shape = OperationShape(elementCount: count)
        if case .counts(let counts) = operation.sizes {
            try checkCounts(counts, "counts")
            try requireSum(of: counts, "counts", is: count, in: isInPlace ? "buffer" : whole.name)
            shape = OperationShape(
                elementCount: count, counts: counts, detail: OperationSignature.digest(ofCounts: counts))
        }
        if !isInPlace { try requireShare(shape, share) }
        return shape
    }

    /// The root has, or is to have, the whole; other ranks may know no more than their own share.
    private func rooted(
        whole: (name: String, count: Int), share: (name: String, count: Int)
    ) throws(Refusal) -> OperationShape {
        guard case .counts(let counts) = operation.sizes else {
            var count = isInPlace || isRoot ? whole.count : share.count * worldSize
            if case .even(let given) = operation.sizes {
                guard given >= 0 else {
                    throw Refusal(reason: "the count is \(given); it must not be negative")
                }
                if isRoot { try requireWhole(given, whole) }
                count = given
            }
            let shape = OperationShape(elementCount: count)
            if !isInPlace { try requireShare(shape, share) }
            return shape
        }
        if counts.isEmpty, worldSize > 1 {
            guard !isRoot, !isInPlace else {
                let need = isInPlace ? "in place, every rank needs them" : "the root needs them"
                throw Refusal(reason: "there are no counts; \(need)")
            }
            return byCounts(knowing: [rank: share.count])
        }
        try checkCounts(counts, "counts")
        let shape = OperationShape(elementCount: 0, counts: counts, detail: OperationSignature.byCounts)
        if isInPlace || isRoot {
            try requireSum(of: counts, "counts", is: whole.count, in: isInPlace ? "buffer" : whole.name)
        }
        if !isInPlace { try requireShare(shape, share) }
        // What other ranks have is the root's business only: no two plans may differ for knowing more.
        return isRoot || isInPlace ? shape : byCounts(knowing: [rank: counts[rank]])
    }

    private func byCounts(knowing known: [Rank: Int]) -> OperationShape {
        let counts = (0..<worldSize).map { known[$0] ?? 0 }
        return OperationShape(elementCount: 0, counts: counts, detail: OperationSignature.byCounts)
    }

    private func exchange() throws(Refusal) -> OperationShape {
        guard case .exchange(let sends, let receives) = operation.sizes else {
            if let inputCount { try requireSame(inputCount, outputCount) }
            guard outputCount % worldSize == 0 else {
                throw Refusal(
                    reason: "\(outputCount) elements cannot be split into \(worldSize) blocks of one size; "
                        + "use the form with counts")
            }
            return OperationShape(elementCount: outputCount * worldSize)
        }
        try checkCounts(sends, "counts")
        try checkCounts(receives, "receive counts")
        try requireSum(of: sends, "counts", is: inputCount ?? 0, in: "input")
        try requireSum(of: receives, "receive counts", is: outputCount, in: "output")
        guard sends[rank] == receives[rank] else {
            throw Refusal(
                reason:
                    "this rank sends itself \(sends[rank]) elements and receives \(receives[rank]) of them")
        }
        var counts = [Int](repeating: 0, count: worldSize * worldSize)
        for peer in 0..<worldSize {
            counts[rank * worldSize + peer] = sends[peer]
            counts[peer * worldSize + rank] = receives[peer]
        }
        return OperationShape(elementCount: 0, counts: counts, detail: OperationSignature.byCounts)
    }

    // MARK: Conditions

    private func requireSame(_ inputCount: Int, _ outputCount: Int) throws(Refusal) {
        guard inputCount == outputCount else {
            throw Refusal(reason: "the input has \(inputCount) elements, the output \(outputCount)")
        }
    }

    private func requireWhole(_ count: Int, _ whole: (name: String, count: Int)) throws(Refusal) {
        guard whole.count == count else {
            throw Refusal(reason: "the \(whole.name) has \(whole.count) elements, the whole \(count)")
        }
    }

    private func requireShare(
        _ shape: OperationShape, _ share: (name: String, count: Int?)
    ) throws(Refusal) {
        let count = share.count ?? 0
        let (expected, of): (Int, String)
        if let counts = shape.counts {
            (expected, of) = (counts[rank], "by the counts")
        } else {
            expected = Partition(count: shape.elementCount, parts: worldSize)[rank].count
            of = "of \(shape.elementCount)"
        }
        guard count == expected else {
            throw Refusal(
                reason: "the \(share.name) has \(count) elements; this rank's share \(of) is \(expected)")
        }
    }

    private func checkCounts(_ counts: [Int], _ name: String) throws(Refusal) {
        guard counts.count == worldSize else {
            throw Refusal(
                reason: "there are \(counts.count) \(name); give one for each of the \(worldSize) ranks")
        }
        if let negative = counts.firstIndex(where: { $0 < 0 }) {
            throw Refusal(
                reason: "the \(name) have \(counts[negative]) elements for rank \(negative); "
                    + "they must not be negative")
        }
    }

    private func requireSum(
        of counts: [Int], _ name: String, is count: Int, in buffer: String
    ) throws(Refusal) {
        var sum = 0
        for count in counts {
            let (next, overflow) = sum.addingReportingOverflow(count)
            sum = overflow ? .max : next
        }
        guard sum == count else {
            throw Refusal(reason: "the \(name) add up to \(sum) elements, the \(buffer) has \(count)")
        }
    }
}
