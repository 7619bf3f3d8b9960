import RingCore
import RingPlan
import RingTransport

extension CollectiveOperation {
    /// Checks the arguments as far as one rank can, and makes them a request to the engine.
    ///
    /// Throws `.invalidArgument` saying what is wrong on which rank; nothing has been sent then.
    func request(rank: Rank, worldSize: Int, defaultTimeout: Duration) throws(CollectiveError)
        -> OperationRequest
    {
        func invalid(_ reason: String) -> CollectiveError {
            CollectiveError(.invalidArgument, "rank \(rank): \(collective.name): \(reason)", peer: rank)
        }
        let size = dataType.byteCount
        for (name, count) in [("input", input?.count ?? 0), ("buffer", output.count)] where count % size != 0
        {
            throw invalid(
                "the \(name) has \(count) bytes, which is not a whole number of \(dataType.name) elements")
        }
        if let root, root < 0 || root >= worldSize {
            throw invalid("there is no rank \(root) to be the root; ranks are 0 to \(worldSize - 1)")
        }
        let timeout = timeout ?? defaultTimeout
        guard timeout > .zero else {
            throw invalid("the timeout is \(timeout.shortText); it must be positive")
        }
        let outputCount = output.count / size
        var elementCount = outputCount
        if let input {
            let inputCount = input.count / size
            switch collective {
            case .reduceScatter:
                elementCount = inputCount
                let share = Partition(count: inputCount, parts: worldSize)[rank].count
                guard outputCount == share else {
                    throw invalid(
                        "the output has \(outputCount) elements; this rank's share of \(inputCount) is \(share)"
                    )
                }
            case .allGather:
                let share = Partition(count: outputCount, parts: worldSize)[rank].count
                guard inputCount == share else {
                    throw invalid(
                        "the input has \(inputCount) elements; this rank's share of \(outputCount) is \(share)"
                    )
                }
            case .broadcast:
                guard rank != root || inputCount == outputCount else {
                    throw invalid("the input has \(inputCount) elements, the output \(outputCount)")
                }
            default:
                guard inputCount == outputCount else {
                    throw invalid("the input has \(inputCount) elements, the output \(outputCount)")
                }
            }
            if let start = input.baseAddress, let end = output.baseAddress.map({ UnsafeRawPointer($0) }),
                input.count > 0, start < end + output.count, end < start + input.count
            {
                throw invalid("input and output overlap; use the in-place form")
            }
        }
        let name =
            algorithm.name
            ?? AlgorithmChoice.name(collective, byteCount: elementCount * size, worldSize: worldSize)
        return OperationRequest(
            signature: OperationSignature(
                collective: collective, dataType: dataType, op: op, elementCount: elementCount, root: root,
                algorithm: AlgorithmCode(name: name)),
            algorithm: name, isInPlace: input == nil, input: input?.baseAddress, output: output.baseAddress,
            timeout: timeout)
    }
}

/// Which algorithm runs when the caller leaves it to the library.
enum AlgorithmChoice {
    /// Up to this many bytes a broadcast's latency counts, and a tree has less of it.
    private static let smallBroadcast = 64 << 10

    /// A function of what all ranks know, so that all choose alike.
    static func name(_ collective: Collective, byteCount: Int, worldSize: Int) -> String {
        switch collective {
        case .broadcast: byteCount <= smallBroadcast ? "binomial-tree" : "pipelined-ring"
        case .barrier: "dissemination"
        default: "ring"
        }
    }
}
