import RingCollectives
import RingCore

/// All-reduce: every rank puts in the whole buffer and gets out the whole reduction.
struct AllReduceBenchmark: CollectiveBenchmark {
    let collective = Collective.allReduce
    let semantics = CollectiveSemantics.reduces

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        BufferLayout(whole: count, input: 0..<count, output: 0..<count, inPlace: inPlace)
    }

    func busFactor(ranks: Int) -> Double { 2 * Double(ranks - 1) / Double(ranks) }

    func operation(_ call: CollectiveCall) -> CollectiveOperation {
        guard let input = call.input else { return .allReduce(call.output, call.dataType, call.op) }
        return .allReduce(from: input, into: call.output, call.dataType, call.op)
    }
}

/// Reduce-scatter: every rank puts in the whole buffer and gets out its own chunk of the reduction.
struct ReduceScatterBenchmark: CollectiveBenchmark {
    let collective = Collective.reduceScatter
    let semantics = CollectiveSemantics.reduces

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        BufferLayout(
            whole: count, input: 0..<count, output: Partition(count: count, parts: ranks)[rank],
            inPlace: inPlace)
    }

    func busFactor(ranks: Int) -> Double { Double(ranks - 1) / Double(ranks) }

    func operation(_ call: CollectiveCall) -> CollectiveOperation {
        guard let input = call.input else { return .reduceScatter(call.output, call.dataType, call.op) }
        return .reduceScatter(from: input, into: call.output, call.dataType, call.op)
    }
}
