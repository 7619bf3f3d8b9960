import RingCore

/// All ranks' sends, receives and copies as the timing simulation runs them: lengths in bytes, in flat arrays.
///
/// Each is an *action*. The actions of a rank stand in queues, one for the sends to each peer, one for the
/// receives from each peer and one for the copies; only the first of a queue can run.
struct TimingGraph {
    enum Kind: UInt8 {
        case send
        case receive
        case reduce
        case copy
    }

    struct Action {
        var kind: Kind
        var rank: Int32
        /// The other rank; this one for a copy.
        var peer: Int32
        /// The receive of a send.
        var partner: Int32 = -1
        /// The next one in its queue, or -1.
        var next: Int32 = -1
        var byteCount: Int
        /// Where its gates begin; they end where the next action's begin.
        var firstGate: Int32
    }

    /// How far another action of the same rank lets one go.
    struct Gate {
        var action: Int32
        /// How many more bytes than the other one has moved may be moved; nil: none before the other's end.
        var lead: Int?
    }

    private(set) var actions: [Action] = []
    private(set) var gates: [Gate] = []
    /// The first action of each queue.
    private(set) var queues: [Int32] = []
    /// Each rank's first queue; one entry more than there are ranks.
    private(set) var firstQueues: [Int] = [0]
    /// The length of the longest transfer.
    private(set) var longest = 0

    private let elementSize: Int
    private let worldSize: Int
    /// The first receive on each link, by its two ranks.
    private var firstReceives: [Int: Int32] = [:]

    /// Takes the plans of all ranks, one at a time. They must fit together: see ``Simulator``.
    init(worldSize: Int, elementSize: Int, plan: (Rank) throws -> Plan) rethrows {
        self.worldSize = worldSize
        self.elementSize = elementSize
        for rank in 0..<worldSize { append(try plan(rank)) }
        match()
    }

    /// The gates of an action.
    func gates(of action: Int) -> Range<Int> {
        let end = action + 1 < actions.count ? Int(actions[action + 1].firstGate) : gates.count
        return Int(actions[action].firstGate)..<end
    }

    private mutating func append(_ plan: Plan) {
        var rankQueues = RankQueues()
        var received = Array(repeating: Int32(-1), count: plan.steps.count)
        var sent = received
        for (index, step) in plan.steps.enumerated() {
            if let copy = step.copy {
                let slices = [copy.source, copy.destination]
                received[index] = add(.copy, plan.rank, plan.rank, slices, copy.after, plan, sent, received)
                rankQueues.add(received[index], to: -1, &actions)
            }
            // A receive first, so that what a rank passes on is not behind what it has long had.
            if let receive = step.receive {
                var kind = Kind.receive
                var slices = [receive.destination]
                if case .reduce(let own, _) = receive.action {
                    kind = .reduce
                    if own != receive.destination { slices.append(own) }
                }
                received[index] = add(
                    kind, plan.rank, receive.peer, slices, receive.after, plan, sent, received)
                if rankQueues.add(received[index], to: 2 * receive.peer, &actions) {
                    firstReceives[receive.peer * worldSize + plan.rank] = received[index]
                }
            }
            if let send = step.send {
                sent[index] = add(
                    .send, plan.rank, send.peer, [send.source], send.after, plan, sent, received)
                rankQueues.add(sent[index], to: 2 * send.peer + 1, &actions)
            }
        }
        queues += rankQueues.firsts
        firstQueues.append(queues.count)
    }

    private mutating func add(
        _ kind: Kind, _ rank: Rank, _ peer: Rank, _ slices: [Slice], _ after: [Dependency], _ plan: Plan,
        _ sent: [Int32], _ received: [Int32]
    ) -> Int32 {
        let byteCount = slices[0].range.count * elementSize
        longest = max(longest, byteCount)
        actions.append(
            Action(
                kind: kind, rank: Int32(rank), peer: Int32(peer), byteCount: byteCount,
                firstGate: Int32(gates.count)))
        for dependency in after {
            let step = plan.steps[dependency.step]
            let (other, otherSlices): (Int32, [Slice]) =
                switch dependency {
                case .sent: (sent[dependency.step], [step.send!.source])
                case .received: (received[dependency.step], Self.slices(received: step))
                }
            // A copy neither follows byte by byte nor is followed.
            let isWhole = kind == .copy || actions[Int(other)].kind == .copy
            gates.append(
                Gate(action: other, lead: isWhole ? nil : lead(of: slices, over: otherSlices)))
        }
        return Int32(actions.count - 1)
    }

    private static func slices(received step: Step) -> [Slice] {
        if let copy = step.copy { return [copy.source, copy.destination] }
        guard let receive = step.receive else { return [] }
        guard case .reduce(let own, _) = receive.action else { return [receive.destination] }
        return [receive.destination, own]
    }

    /// How many bytes of an action may have been moved beyond what another has moved, where both touch the
    /// same memory; nil where they do not.
    private func lead(of slices: [Slice], over others: [Slice]) -> Int? {
        var least: Int?
        for slice in slices {
            for other in others where slice.overlaps(other) {
                let lead = (other.range.lowerBound - slice.range.lowerBound) * elementSize
                least = min(least ?? lead, lead)
            }
        }
        return least
    }

    /// Pairs the k-th send with the k-th receive on every link.
    private mutating func match() {
        for queue in queues where actions[Int(queue)].kind == .send {
            var send = queue
            let link = Int(actions[Int(queue)].rank) * worldSize + Int(actions[Int(queue)].peer)
            var receive = firstReceives[link] ?? -1
            while send >= 0 {
                precondition(receive >= 0, "a send without a receive: the plans do not fit together")
                actions[Int(send)].partner = receive
                send = actions[Int(send)].next
                receive = actions[Int(receive)].next
            }
        }
    }
}

/// The queues of one rank while its plan is read.
private struct RankQueues {
    private(set) var firsts: [Int32] = []
    private var lasts: [Int: Int32] = [:]

    /// Appends an action to the queue of this name. Returns whether it is the first.
    @discardableResult
    mutating func add(_ action: Int32, to name: Int, _ actions: inout [TimingGraph.Action]) -> Bool {
        let last = lasts.updateValue(action, forKey: name)
        guard let last else {
            firsts.append(action)
            return true
        }
        actions[Int(last)].next = action
        return false
    }
}
