import RingCore
import RingPlan

/// Which algorithm runs when the caller leaves it to the library.
enum AlgorithmChoice {
    /// Up to this many bytes a broadcast's latency counts, and a tree has less of it.
    private static let smallBroadcast = 64 << 10

    /// A function of what all ranks know, so that all choose alike.
    static func name(_ collective: Collective, byteCount: Int, worldSize: Int) -> String {
        switch collective {
        case .broadcast: byteCount <= smallBroadcast ? "binomial-tree" : "pipelined-ring"
        case .barrier: "dissemination"
        case .gather, .scatter, .sendReceive: "direct"
        case .allToAll: "pairwise"
        case .reduce: "binomial-tree"
        case .allReduce, .reduceScatter, .allGather: "ring"
        }
    }
}
