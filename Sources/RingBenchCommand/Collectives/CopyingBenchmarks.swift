import RingCollectives
import RingCore

/// All-gather: every rank puts in its own chunk and gets out the whole buffer.
struct AllGatherBenchmark: CollectiveBenchmark {
    let collective = Collective.allGather
    let semantics = CollectiveSemantics.copies

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        BufferLayout(
            whole: count, input: Partition(count: count, parts: ranks)[rank], output: 0..<count,
            inPlace: inPlace)
    }

    func busFactor(ranks: Int) -> Double { Double(ranks - 1) / Double(ranks) }

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else { return [.allGather(call.output, call.dataType)] }
        return [.allGather(from: input, into: call.output, call.dataType)]
    }
}

/// Broadcast: the root puts in the whole buffer and every rank gets it out.
struct BroadcastBenchmark: CollectiveBenchmark {
    let collective = Collective.broadcast
    let semantics = CollectiveSemantics.copies
    let hasRoot = true

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        BufferLayout(
            whole: count, input: rank == root ? 0..<count : 0..<0, output: 0..<count, inPlace: inPlace)
    }

    func busFactor(ranks: Int) -> Double { 1 }

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else { return [.broadcast(call.output, call.dataType, root: call.root)] }
        return [.broadcast(from: input, into: call.output, call.dataType, root: call.root)]
    }
}

/// Barrier: no buffer; no rank leaves before all have entered.
struct BarrierBenchmark: CollectiveBenchmark {
    let collective = Collective.barrier
    let semantics = CollectiveSemantics.synchronizes
    let hasOutOfPlace = false

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        BufferLayout(whole: 0, input: 0..<0, output: 0..<0, inPlace: inPlace)
    }

    func busFactor(ranks: Int) -> Double { 0 }

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] { [.barrier()] }
}
