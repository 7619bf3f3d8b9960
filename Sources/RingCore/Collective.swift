/// An operation in which all ranks of a communicator take part.
///
/// The raw value is the collective's code on the wire.
public enum Collective: UInt8, Sendable, Hashable, CaseIterable {
    case allReduce = 1
    case reduceScatter = 2
    case allGather = 3
    case broadcast = 4
    case reduce = 5
    case gather = 6
    case scatter = 7
    case allToAll = 8
    case barrier = 9
    case sendReceive = 10
}

extension Collective {
    /// The collective's name in text, as command lines take it: `all-reduce`.
    public var name: String {
        switch self {
        case .allReduce: "all-reduce"
        case .reduceScatter: "reduce-scatter"
        case .allGather: "all-gather"
        case .broadcast: "broadcast"
        case .reduce: "reduce"
        case .gather: "gather"
        case .scatter: "scatter"
        case .allToAll: "all-to-all"
        case .barrier: "barrier"
        case .sendReceive: "send-recv"
        }
    }

    /// The collective with a name as command lines take it, or nil.
    public init?(name: String) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }
}
