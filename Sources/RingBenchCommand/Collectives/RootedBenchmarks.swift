import RingCollectives
import RingCore

/// Gather: every rank puts in its own chunk and the root gets out the whole buffer.
struct GatherBenchmark: CollectiveBenchmark {
    let collective = Collective.gather
    let semantics = CollectiveSemantics.copies
    let hasRoot = true

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        BufferLayout(
            whole: count, input: Partition(count: count, parts: ranks)[rank],
            output: rank == root ? 0..<count : 0..<0, inPlace: inPlace)
    }

    func busFactor(ranks: Int) -> Double { Double(ranks - 1) / Double(ranks) }

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else { return [.gather(call.output, call.dataType, root: call.root)] }
        return [.gather(from: input, into: call.output, call.dataType, count: call.count, root: call.root)]
    }
}

/// Scatter: the root puts in the whole buffer and every rank gets out its own chunk.
struct ScatterBenchmark: CollectiveBenchmark {
    let collective = Collective.scatter
    let semantics = CollectiveSemantics.copies
    let hasRoot = true

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        BufferLayout(
            whole: count, input: rank == root ? 0..<count : 0..<0,
            output: Partition(count: count, parts: ranks)[rank], inPlace: inPlace)
    }

    func busFactor(ranks: Int) -> Double { Double(ranks - 1) / Double(ranks) }

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else { return [.scatter(call.output, call.dataType, root: call.root)] }
        return [.scatter(from: input, into: call.output, call.dataType, count: call.count, root: call.root)]
    }
}
