import RingCollectives
import RingCore

/// All-to-all: every rank puts in a block for each rank and gets out the blocks that are for it.
struct AllToAllBenchmark: CollectiveBenchmark {
    let collective = Collective.allToAll
    let semantics = CollectiveSemantics.copies

    /// Whole blocks, of one element at least.
    func count(near count: Int, ranks: Int) -> Int {
        count == 0 ? 0 : Swift.max(1, count / ranks) * ranks
    }

    /// The global indices are those of all ranks' inputs, one after the other.
    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        let block = count / ranks
        func elements(from: Rank, to: Rank) -> Range<Int> {
            let start = (from * ranks + to) * block
            return start..<start + block
        }
        let first = elements(from: rank, to: 0).lowerBound
        return BufferLayout(
            inputCount: count, outputCount: count,
            input: [BufferLayout.Piece(offset: 0, elements: first..<first + block * ranks)],
            output: (0..<ranks).map {
                BufferLayout.Piece(offset: $0 * block, elements: elements(from: $0, to: rank))
            })
    }

    func busFactor(ranks: Int) -> Double { Double(ranks - 1) / Double(ranks) }

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else { return [.allToAll(call.output, call.dataType)] }
        return [.allToAll(from: input, into: call.output, call.dataType)]
    }
}

/// Send-receive: every rank sends the whole buffer to the next and receives as much from the one before, at once.
struct SendReceiveBenchmark: CollectiveBenchmark {
    let collective = Collective.sendReceive
    let semantics = CollectiveSemantics.copies
    let hasInPlace = false
    let fewestRanks = 2

    func layout(count: Int, ranks: Int, rank: Rank, root: Rank, inPlace: Bool) -> BufferLayout {
        func elements(of rank: Rank) -> Range<Int> { rank * count..<(rank + 1) * count }
        return BufferLayout(
            inputCount: count, outputCount: count,
            input: [BufferLayout.Piece(offset: 0, elements: elements(of: rank))],
            output: [BufferLayout.Piece(offset: 0, elements: elements(of: (rank + ranks - 1) % ranks))])
    }

    func busFactor(ranks: Int) -> Double { 1 }

    func operations(_ call: CollectiveCall) -> [CollectiveOperation] {
        guard let input = call.input else {
            preconditionFailure("a message is not sent and received in the same memory")
        }
        let (next, previous) = ((call.rank + 1) % call.ranks, (call.rank + call.ranks - 1) % call.ranks)
        return [
            .send(input, call.dataType, to: next),
            .receive(into: call.output, call.dataType, from: previous),
        ]
    }
}
