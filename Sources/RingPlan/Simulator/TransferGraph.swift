import RingCore

/// All ranks' transfers and copies, and what each must come after.
///
/// Each receive or copy, and each send, is a *node*: the rank's first node, plus twice the step's index, plus
/// one for a send. Everything is in flat arrays of integers, so that thousands of ranks fit in memory.
struct TransferGraph {
    let worldSize: Int
    /// Each rank's first node; one entry more than there are ranks.
    private(set) var firstNodes: [Int] = [0]
    /// Each node's peer, or one of the two below.
    private(set) var peers: [Int] = []
    private(set) var chunks: [Range<Int>] = []
    private(set) var counts: [Int] = []
    /// Where each node's predecessors within its rank begin; one entry more than there are nodes.
    private(set) var predecessorStarts: [Int] = [0]
    private(set) var predecessors: [Int] = []
    /// The next node in the same direction on the same link, or -1.
    private(set) var nextOnLink: [Int] = []
    /// The first send, and the first receive, on each directed link.
    private(set) var firstSends: [Link: Int] = [:]
    private(set) var firstReceives: [Link: Int] = [:]
    private var lastSends: [Int]
    private var lastReceives: [Int]

    /// In place of a peer: this step has no such transfer.
    static let absent = -1
    /// In place of a peer: a local copy.
    static let local = -2

    struct Link: Hashable {
        var source: Rank
        var destination: Rank
    }

    init(worldSize: Int) {
        self.worldSize = worldSize
        lastSends = Array(repeating: -1, count: worldSize)
        lastReceives = lastSends
    }

    /// Adds the next rank's plan, which must be valid.
    mutating func append(_ plan: Plan) {
        let base = peers.count
        for step in plan.steps {
            if let receive = step.receive {
                append(receive.peer, receive.destination, receive.after, base)
            } else if let copy = step.copy {
                append(Self.local, copy.destination, copy.after, base)
            } else {
                append(Self.absent, nil, [], base)
            }
            if let send = step.send {
                append(send.peer, send.source, send.after, base)
            } else {
                append(Self.absent, nil, [], base)
            }
        }
        link(base, rank: plan.rank)
        firstNodes.append(peers.count)
    }

    private mutating func append(_ peer: Int, _ slice: Slice?, _ after: [Dependency], _ base: Int) {
        peers.append(peer)
        chunks.append(slice?.chunks ?? 0..<0)
        counts.append(slice?.range.count ?? 0)
        for dependency in after { predecessors.append(base + LocalOrder.node(of: dependency)) }
        predecessorStarts.append(predecessors.count)
        nextOnLink.append(-1)
    }

    /// Chains the new nodes of a rank along their links.
    private mutating func link(_ base: Int, rank: Rank) {
        for node in base..<peers.count where peers[node] >= 0 {
            let peer = peers[node]
            if isSend(node) {
                if lastSends[peer] < 0 {
                    firstSends[Link(source: rank, destination: peer)] = node
                } else {
                    nextOnLink[lastSends[peer]] = node
                }
                lastSends[peer] = node
            } else {
                if lastReceives[peer] < 0 {
                    firstReceives[Link(source: peer, destination: rank)] = node
                } else {
                    nextOnLink[lastReceives[peer]] = node
                }
                lastReceives[peer] = node
            }
        }
        for node in base..<peers.count where peers[node] >= 0 {
            lastSends[peers[node]] = -1
            lastReceives[peers[node]] = -1
        }
    }
}

extension TransferGraph {
    func isSend(_ node: Int) -> Bool { node & 1 == 1 }

    /// The rank that a node belongs to.
    func rank(of node: Int) -> Rank {
        var low = 0
        var high = worldSize
        while high - low > 1 {
            let middle = (low + high) / 2
            if firstNodes[middle] <= node { low = middle } else { high = middle }
        }
        // Ranks without steps share their first node with the next; the last of them is the one that has it.
        return low
    }

    /// The index of a node's step, given its rank.
    func step(of node: Int, rank: Rank) -> Int { (node - firstNodes[rank]) / 2 }

    func traffic(criticalPath: Int) -> Traffic {
        var elements = Array(repeating: 0, count: worldSize)
        var messages = elements
        for rank in 0..<worldSize {
            for node in firstNodes[rank]..<firstNodes[rank + 1] where isSend(node) && peers[node] >= 0 {
                elements[rank] += counts[node]
                messages[rank] += 1
            }
        }
        return Traffic(elementsSent: elements, messagesSent: messages, criticalPath: criticalPath)
    }
}
