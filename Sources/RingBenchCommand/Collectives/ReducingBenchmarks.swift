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

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else { return [.allReduce(call.output, call.dataType, call.op)] }
        return [.allReduce(from: input, into: call.output, call.dataType, call.op)]
    }
}

/// Reduce: every rank puts in the whole buffer and the root gets out the whole reduction.
struct ReduceBenchmark: CollectiveBenchmark {
    let collective = Collective.reduce
    let semantics = CollectiveSemantics.reduces
    let hasRoot = true

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        BufferLayout(
            whole: count, input: 0..<count, output: rank == root ? 0..<count : 0..<0, inPlace: inPlace)
    }

    func busFactor(ranks: Int) -> Double { 1 }

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else {
            return [.reduce(call.output, call.dataType, call.op, root: call.root)]
        }
        return [.reduce(from: input, into: call.output, call.dataType, call.op, root: call.root)]
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

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else { return [.reduceScatter(call.output, call.dataType, call.op)] }
        return [.reduceScatter(from: input, into: call.output, call.dataType, call.op)]
    }
}
