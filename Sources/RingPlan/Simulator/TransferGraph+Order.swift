import RingCore

/// A transfer (by its receive's and its send's nodes) or a local copy, in an order of execution.
struct Execution {
    /// The receive's node, or the copy's.
    var node: Int
    /// The send's node, or -1 for a local copy.
    var send: Int
}

extension TransferGraph {
    /// Matches sends with receives, and finds an order in which everything can happen, a send completing only
    /// as it is received, and the length of the longest chain of transfers.
    ///
    /// A transfer stands as one node, that of its receive: it waits for what its send waits for, what its
    /// receive waits for, and the transfer before it on the link.
    func order() throws(PlanRefutation) -> (order: [Execution], criticalPath: Int) {
        let (partners, previous) = try match()

        // The successors of each node, in one array, by counting first.
        var waiting = Array(repeating: 0, count: peers.count)
        var starts = Array(repeating: 0, count: peers.count + 1)
        for node in peers.indices where peers[node] != Self.absent {
            let representative = isSend(node) ? partners[node] : node
            for index in predecessorStarts[node]..<predecessorStarts[node + 1] {
                starts[self.representative(predecessors[index], partners) + 1] += 1
                waiting[representative] += 1
            }
            if previous[node] >= 0 {
                starts[previous[node] + 1] += 1
                waiting[node] += 1
            }
        }
        for node in peers.indices { starts[node + 1] += starts[node] }
        var successors = Array(repeating: 0, count: starts[peers.count])
        var filled = starts
        for node in peers.indices where peers[node] != Self.absent {
            let representative = isSend(node) ? partners[node] : node
            for index in predecessorStarts[node]..<predecessorStarts[node + 1] {
                let predecessor = self.representative(predecessors[index], partners)
                successors[filled[predecessor]] = representative
                filled[predecessor] += 1
            }
            if previous[node] >= 0 {
                successors[filled[previous[node]]] = node
                filled[previous[node]] += 1
            }
        }

        var order: [Execution] = []
        var levels = Array(repeating: 0, count: peers.count)
        var ready = peers.indices.filter { !isSend($0) && peers[$0] != Self.absent && waiting[$0] == 0 }
        var next = 0
        var criticalPath = 0
        while next < ready.count {
            let node = ready[next]
            next += 1
            order.append(Execution(node: node, send: peers[node] == Self.local ? -1 : partners[node]))
            if peers[node] != Self.local { levels[node] += 1 }
            let level = levels[node]
            if level > criticalPath { criticalPath = level }
            for index in starts[node]..<starts[node + 1] {
                let successor = successors[index]
                if levels[successor] < level { levels[successor] = level }
                waiting[successor] -= 1
                if waiting[successor] == 0 { ready.append(successor) }
            }
        }
        if let stuck = waiting.indices.first(where: { waiting[$0] > 0 }) {
            throw circle(from: stuck, waiting: waiting, partners: partners, previous: previous)
        }
        return (order, criticalPath)
    }

    /// The node that stands for a node's transfer.
    private func representative(_ node: Int, _ partners: [Int]) -> Int {
        isSend(node) ? partners[node] : node
    }

    /// Pairs the k-th send with the k-th receive on every link. Returns each node's partner, and, for
    /// receives, the receive before it on the same link.
    private func match() throws(PlanRefutation) -> (partners: [Int], previous: [Int]) {
        var partners = Array(repeating: -1, count: peers.count)
        var previous = partners
        for (link, firstSend) in firstSends {
            var send = firstSend
            var receive = firstReceives[link] ?? -1
            var last = -1
            while send >= 0, receive >= 0 {
                guard chunks[send] == chunks[receive], counts[send] == counts[receive] else {
                    throw mismatch(send, receive, link)
                }
                partners[send] = receive
                partners[receive] = send
                previous[receive] = last
                last = receive
                send = nextOnLink[send]
                receive = nextOnLink[receive]
            }
        }
        for node in peers.indices where peers[node] >= 0 && partners[node] < 0 {
            let rank = rank(of: node)
            let what =
                isSend(node)
                ? "sends to \(peers[node]), which has no receive for it"
                : "receives from \(peers[node]), which has no send for it"
            throw PlanRefutation(.unmatched, rank: rank, step: step(of: node, rank: rank), what)
        }
        return (partners, previous)
    }

    private func mismatch(_ send: Int, _ receive: Int, _ link: Link) -> PlanRefutation {
        let step = step(of: receive, rank: link.destination)
        return PlanRefutation(
            .mismatched, rank: link.source, step: self.step(of: send, rank: link.source),
            "sends \(chunks[send].chunkText) (\(counts[send]) elements) to rank \(link.destination), "
                + "whose step \(step) expects \(chunks[receive].chunkText) (\(counts[receive]) elements)")
    }

    /// The refutation that names a circle of transfers, each waiting for the next.
    private func circle(
        from stuck: Int, waiting: [Int], partners: [Int], previous: [Int]
    ) -> PlanRefutation {
        // Every node that still waits has a predecessor that still waits: going back must meet itself.
        var path = [stuck]
        var places = [stuck: 0]
        while true {
            let node = path[path.count - 1]
            var candidates = Array(predecessors[predecessorStarts[node]..<predecessorStarts[node + 1]])
            if partners[node] >= 0 {
                let send = partners[node]
                candidates += predecessors[predecessorStarts[send]..<predecessorStarts[send + 1]]
            }
            if previous[node] >= 0 { candidates.append(previous[node]) }
            let waitedFor = candidates.map { representative($0, partners) }.first { waiting[$0] > 0 }
            guard let waitedFor else { preconditionFailure("a transfer waits for nothing, yet never ran") }
            if let start = places[waitedFor] {
                path.removeFirst(start)
                break
            }
            places[waitedFor] = path.count
            path.append(waitedFor)
        }
        let shown = path.prefix(6).map { text(of: $0, partners) }.joined(separator: ", which waits for ")
        let rest = path.count > 6 ? ", and so on through \(path.count - 6) more" : ""
        let rank = rank(of: path[0])
        return PlanRefutation(
            .deadlock, rank: rank, step: step(of: path[0], rank: rank),
            "circular wait: \(shown)\(rest), which waits for the first")
    }

    private func text(of node: Int, _ partners: [Int]) -> String {
        let rank = rank(of: node)
        let place = "rank \(rank)'s step \(step(of: node, rank: rank))"
        guard peers[node] != Self.local else { return "the copy of \(place)" }
        let sender = peers[node]
        return "the transfer from rank \(sender)'s step \(step(of: partners[node], rank: sender)) to \(place)"
    }
}
