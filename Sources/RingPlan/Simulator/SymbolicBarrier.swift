import RingCore

/// The run of a barrier's plans, following who has heard of whom.
///
/// A message tells that its sender has entered, and all that the sender had heard of by the messages that its
/// send waits for. A rank may leave when it has heard of all.
struct SymbolicBarrier {
    private let graph: TransferGraph
    private let wordCount: Int
    /// For each node, the ranks known to have entered when it is done.
    private var known: [UInt]

    init(_ graph: TransferGraph) {
        self.graph = graph
        wordCount = (graph.worldSize + UInt.bitWidth - 1) / UInt.bitWidth
        known = Array(repeating: 0, count: graph.peers.count * wordCount)
    }

    /// Follows the messages in an order of execution, and checks that every rank has heard of every other.
    mutating func prove(_ order: [Execution]) throws(PlanRefutation) {
        for execution in order {
            let rank = graph.rank(of: execution.node)
            learn(execution.node, of: rank)
            guard execution.send >= 0 else { continue }
            learn(execution.send, of: graph.peers[execution.node])
            learn(execution.node, from: execution.send)
        }
        for rank in 0..<graph.worldSize {
            var heard = Array(repeating: UInt(0), count: wordCount)
            heard[rank / UInt.bitWidth] |= 1 << UInt(rank % UInt.bitWidth)
            for node in graph.firstNodes[rank]..<graph.firstNodes[rank + 1] {
                for word in 0..<wordCount { heard[word] |= known[node * wordCount + word] }
            }
            for other in 0..<graph.worldSize
            where heard[other / UInt.bitWidth] >> UInt(other % UInt.bitWidth) & 1 == 0 {
                throw PlanRefutation(
                    .result, rank: rank,
                    "may leave the barrier before it knows that rank \(other) has entered")
            }
        }
    }

    /// A node knows of its own rank, and what the nodes before it know.
    private mutating func learn(_ node: Int, of rank: Rank) {
        known[node * wordCount + rank / UInt.bitWidth] |= 1 << UInt(rank % UInt.bitWidth)
        for index in graph.predecessorStarts[node]..<graph.predecessorStarts[node + 1] {
            learn(node, from: graph.predecessors[index])
        }
    }

    private mutating func learn(_ node: Int, from other: Int) {
        for word in 0..<wordCount { known[node * wordCount + word] |= known[other * wordCount + word] }
    }
}
