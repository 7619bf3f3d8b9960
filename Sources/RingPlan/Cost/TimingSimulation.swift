package import RingCore

/// Runs the plans of all ranks against the clock of a described machine and network.
///
/// Each rank is one thread that, as the engine does, turns from one transfer to the next and moves what there
/// is to move: a transfer that follows another starts when the first piece of it is there. Threads take turns
/// on their host's processors, messages between hosts take turns on the hosts' network, and a thread with
/// nothing to move sleeps until a message reaches it. What anything costs is in ``CostParameters``.
///
/// Time and memory are proportional to the transfers and the pieces they are cut into; ``OutlineCost`` predicts
/// the same from a formula.
package struct TimingSimulation {
    /// How long a thread may go on while others wait for its processor.
    private static let turn = 1e-3
    /// The most pieces that a transfer is cut into: fewer, the more transfers there are, so that time is bounded.
    private static let piecesPerTransfer = 4...256
    private static let mostPieces = 2_000_000

    private struct Thread {
        /// The next queue to look at.
        var cursor = 0
        /// Whether it runs, or waits for a processor.
        var isActive = false
        /// When its turn on the processor began.
        var turnStart = 0.0
    }

    private struct HostState {
        var freeProcessors: Int
        /// The ranks that wait for a processor.
        var waiting: [Int32] = []
        var firstWaiting = 0
        /// When the network is free again, outwards and inwards.
        var outwards = 0.0
        var inwards = 0.0
    }

    private let graph: TimingGraph
    private let parameters: CostParameters
    private let topology: RankTopology
    private let piece: Int

    private var events = EventQueue()
    private var threads: [Thread]
    private var hosts: [HostState]
    /// The action at the head of each queue, or -1.
    private var heads: [Int32]
    /// How many bytes each action has moved, and how many have arrived for it.
    private var moved: [Int]
    private var arrived: [Int]
    /// Whether each action has ended, and whether its last byte has arrived.
    private var isDone: [Bool]
    private var isComplete: [Bool]
    private var now = 0.0
    private var remaining: Int

    /// The seconds that these plans take.
    ///
    /// The plans are asked for one at a time, for ranks 0 to n-1; they must fit together (see ``Simulator``).
    package static func time(
        _ parameters: CostParameters, topology: RankTopology, elementSize: Int,
        plan: (Rank) throws -> Plan
    ) rethrows -> Double {
        let graph = try TimingGraph(worldSize: topology.worldSize, elementSize: elementSize, plan: plan)
        var simulation = TimingSimulation(graph, parameters, topology)
        return simulation.run() + parameters.perOperation
    }

    private init(_ graph: TimingGraph, _ parameters: CostParameters, _ topology: RankTopology) {
        self.graph = graph
        self.parameters = parameters
        self.topology = topology
        let affordable = Self.mostPieces / max(1, graph.actions.count)
        let pieces = min(
            max(affordable, Self.piecesPerTransfer.lowerBound), Self.piecesPerTransfer.upperBound)
        piece = max(1, Int(parameters.grain), graph.longest / pieces)
        threads = Array(repeating: Thread(), count: topology.worldSize)
        hosts = Array(repeating: HostState(freeProcessors: topology.processors), count: topology.hosts)
        heads = graph.queues
        moved = Array(repeating: 0, count: graph.actions.count)
        arrived = moved
        isDone = Array(repeating: false, count: graph.actions.count)
        isComplete = isDone
        remaining = graph.actions.count
    }

    private mutating func run() -> Double {
        for rank in threads.indices { wake(rank, isAsleep: false) }
        var end = 0.0
        while let event = events.next() {
            now = event.time
            let subject = Int(event.subject)
            switch event.kind {
            case .moved:
                end = now
                endTurn(subject, event.byteCount)
            case .arrived: arrive(subject, event.byteCount)
            case .woken: takeProcessor(subject, after: parameters.perSwitch)
            }
        }
        precondition(
            remaining == 0, "\(remaining) transfers wait for each other: the plans do not fit together")
        return end
    }

    // MARK: Threads and processors

    /// Puts a thread that has nothing to do to work, if there is something.
    private mutating func wake(_ rank: Int, isAsleep: Bool) {
        guard !threads[rank].isActive, findWork(rank) != nil else { return }
        threads[rank].isActive = true
        if isAsleep, topology.isCrowded {
            events.add(EventQueue.Event(time: now + parameters.perWake, .woken, Int32(rank)))
        } else {
            takeProcessor(rank, after: 0)
        }
    }

    /// Begins a thread's turn, or has it wait for a processor.
    private mutating func takeProcessor(_ rank: Int, after delay: Double) {
        let host = topology.host(of: rank)
        guard hosts[host].freeProcessors > 0 else {
            hosts[host].waiting.append(Int32(rank))
            return
        }
        hosts[host].freeProcessors -= 1
        beginTurn(rank, after: delay)
    }

    private mutating func beginTurn(_ rank: Int, after delay: Double) {
        threads[rank].turnStart = now
        goOn(rank, after: delay)
    }

    /// The thread, which has a processor, moves the next piece, or lets go of the processor.
    private mutating func goOn(_ rank: Int, after delay: Double = 0) {
        let host = topology.host(of: rank)
        let isWanted = hosts[host].firstWaiting < hosts[host].waiting.count
        let hasHadItsTurn = isWanted && now - threads[rank].turnStart > Self.turn
        guard !hasHadItsTurn, let (action, byteCount) = findWork(rank) else {
            threads[rank].isActive = hasHadItsTurn
            // Whoever has had a turn waits for the next one behind those that wait already.
            if hasHadItsTurn { hosts[host].waiting.append(Int32(rank)) }
            giveProcessor(of: host)
            return
        }
        events.add(
            EventQueue.Event(
                time: now + delay + duration(action, byteCount), .moved, Int32(action), byteCount: byteCount))
    }

    /// A processor has become free: the next thread that waits has it.
    private mutating func giveProcessor(of host: Int) {
        guard hosts[host].firstWaiting < hosts[host].waiting.count else {
            hosts[host].freeProcessors += 1
            return
        }
        let rank = Int(hosts[host].waiting[hosts[host].firstWaiting])
        hosts[host].firstWaiting += 1
        if hosts[host].firstWaiting > 64, 2 * hosts[host].firstWaiting > hosts[host].waiting.count {
            hosts[host].waiting.removeFirst(hosts[host].firstWaiting)
            hosts[host].firstWaiting = 0
        }
        beginTurn(rank, after: parameters.perSwitch)
    }

    // MARK: Transfers

    /// The next action of the rank that can move something, and how many bytes.
    private mutating func findWork(_ rank: Int) -> (action: Int, byteCount: Int)? {
        let queues = graph.firstQueues[rank]..<graph.firstQueues[rank + 1]
        for distance in 0..<queues.count {
            var queue = queues.lowerBound + threads[rank].cursor + distance
            if queue >= queues.upperBound { queue -= queues.count }
            let action = Int(heads[queue])
            guard action >= 0, let byteCount = movable(action) else { continue }
            threads[rank].cursor = queue - queues.lowerBound
            return (action, byteCount)
        }
        return nil
    }

    /// How many bytes an action can move now; nil if it cannot go on.
    private func movable(_ index: Int) -> Int? {
        let action = graph.actions[index]
        var limit = action.byteCount
        for gate in graph.gates(of: index) {
            let gate = graph.gates[gate]
            guard !isDone[Int(gate.action)] else { continue }
            guard let lead = gate.lead else { return nil }
            limit = min(limit, moved[Int(gate.action)] + lead)
        }
        if action.kind == .receive || action.kind == .reduce {
            guard action.byteCount > 0 else { return isComplete[index] ? 0 : nil }
            limit = min(limit, arrived[index])
        }
        let available = limit - moved[index]
        guard available > 0 || action.byteCount == 0 else { return nil }
        return min(available, piece)
    }

    private func duration(_ index: Int, _ byteCount: Int) -> Double {
        let action = graph.actions[index]
        let bytes = Double(byteCount)
        guard action.kind != .copy else { return bytes * parameters.copyPerByte }
        let link = link(action)
        return (moved[index] == 0 ? link.perMessage : 0) + bytes * link.perByte
            + (action.kind == .reduce ? bytes * parameters.reducePerByte : 0)
    }

    private func link(_ action: TimingGraph.Action) -> LinkCost {
        topology.host(of: Int(action.rank)) == topology.host(of: Int(action.peer))
            ? parameters.sameHost : parameters.betweenHosts
    }

    /// A thread has moved a piece.
    private mutating func endTurn(_ index: Int, _ byteCount: Int) {
        let action = graph.actions[index]
        let rank = Int(action.rank)
        moved[index] += byteCount
        if action.kind == .send { dispatch(action, byteCount) }
        let queues = graph.firstQueues[rank + 1] - graph.firstQueues[rank]
        if moved[index] == action.byteCount {
            isDone[index] = true
            remaining -= 1
            heads[graph.firstQueues[rank] + threads[rank].cursor] = action.next
        }
        // The other transfers have their turn.
        threads[rank].cursor = (threads[rank].cursor + 1) % queues
        goOn(rank)
    }

    /// Sends a piece on its way.
    private mutating func dispatch(_ action: TimingGraph.Action, _ byteCount: Int) {
        let link = link(action)
        var time = now
        if link.bandwidth.isFinite {
            let (source, destination) = (
                topology.host(of: Int(action.rank)), topology.host(of: Int(action.peer))
            )
            let transmission = Double(byteCount) / link.bandwidth
            let start = max(now, hosts[source].outwards)
            hosts[source].outwards = start + transmission
            hosts[destination].inwards = max(start, hosts[destination].inwards) + transmission
            time = hosts[destination].inwards
        }
        events.add(
            EventQueue.Event(time: time + link.latency, .arrived, action.partner, byteCount: byteCount))
    }

    private mutating func arrive(_ index: Int, _ byteCount: Int) {
        arrived[index] += byteCount
        if arrived[index] == graph.actions[index].byteCount { isComplete[index] = true }
        wake(Int(graph.actions[index].rank), isAsleep: true)
    }
}
