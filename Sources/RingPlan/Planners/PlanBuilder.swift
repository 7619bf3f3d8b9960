package import RingCore

/// A plan in the making: it takes sends and receives in the order in which data flow, and finds what each of
/// them must wait for.
///
/// Dependencies are what the slices ask for and no more: a read comes after the last write of any of its
/// elements, a write after the reads since the last write. Transfers of empty chunks are left out, and so are
/// steps that are left without anything; a barrier, which transfers nothing else, keeps them.
package struct PlanBuilder {
    /// The plan so far.
    package private(set) var plan: Plan
    private var ledgers: [AccessLedger]

    /// Begins a plan. The chunks and the scratch are asked for once the request is known to be valid.
    ///
    /// - Throws: `invalidArgument` for a request that no plan can meet, or that is not for this planner.
    package init(
        _ request: PlanRequest, for planner: any Planner.Type, chunks: @autoclosure () -> Partition,
        scratchCount: @autoclosure () -> Int = 0
    ) throws(CollectiveError) {
        guard request.collective == planner.collective else {
            throw CollectiveError(
                .invalidArgument,
                "\(planner.name) plans \(planner.collective.name), not \(request.collective.name)")
        }
        try request.validate()
        let partition = chunks()
        plan = Plan(
            collective: request.collective, algorithm: planner.name, worldSize: request.worldSize,
            rank: request.rank, root: request.collective == .broadcast ? request.root : nil,
            isInPlace: request.isInPlace, elementCount: request.elementCount,
            chunks: (0..<partition.parts).map { partition[$0] }, scratchCount: scratchCount())
        ledgers = []
        for buffer in Buffer.allCases { ledgers.append(AccessLedger(count: plan.count(of: buffer))) }
    }

    /// Where this rank's own contribution to a chunk lies at the start.
    package func contribution(_ chunk: Int) -> Slice {
        if plan.isInPlace { return Slice(.output, chunk: chunk, plan.chunks[chunk]) }
        let origin = plan.collective == .allGather ? plan.share(of: plan.rank).lowerBound : 0
        return slice(.input, chunk, from: origin)
    }

    /// Where a chunk of the result lies at the end.
    package func result(_ chunk: Int) -> Slice {
        let isShare = plan.collective == .reduceScatter && !plan.isInPlace
        return slice(.output, chunk, from: isShare ? plan.share(of: plan.rank).lowerBound : 0)
    }

    private func slice(_ buffer: Buffer, _ chunk: Int, from origin: Int) -> Slice {
        let range = plan.chunks[chunk]
        return Slice(buffer, chunk: chunk, (range.lowerBound - origin)..<(range.upperBound - origin))
    }

    /// A chunk's place in scratch memory, from this offset on.
    package func scratch(_ chunk: Int, at offset: Int) -> Slice {
        Slice(.scratch, chunk: chunk, offset..<(offset + plan.chunks[chunk].count))
    }

    /// Adds a step of a send, a receive, or both.
    ///
    /// What their `after` holds already is kept, for an order that no slice asks for.
    package mutating func step(send: Send? = nil, receive: Receive? = nil) {
        let index = plan.steps.count
        var step = Step()
        if var send, carriesSomething(send.source) {
            var earlier: [Int] = []
            let node = LocalOrder.node(of: .sent(index))
            ledgers[send.source.buffer.rawValue].read(send.source.range, by: node, after: &earlier)
            send.after = merged(send.after, earlier)
            step.send = send
        }
        if var receive, carriesSomething(receive.destination) {
            var earlier: [Int] = []
            let node = LocalOrder.node(of: .received(index))
            if case .reduce(let own, _) = receive.action {
                ledgers[own.buffer.rawValue].read(own.range, by: node, after: &earlier)
            }
            let destination = receive.destination
            ledgers[destination.buffer.rawValue].write(destination.range, by: node, after: &earlier)
            receive.after = merged(receive.after, earlier)
            step.receive = receive
        }
        if step.send != nil || step.receive != nil { plan.steps.append(step) }
    }

    /// Copies a slice to where it belongs, unless it is there already.
    package mutating func place(_ source: Slice, in destination: Slice) {
        guard source != destination, !source.range.isEmpty else { return }
        var earlier: [Int] = []
        let node = LocalOrder.node(of: .received(plan.steps.count))
        ledgers[source.buffer.rawValue].read(source.range, by: node, after: &earlier)
        ledgers[destination.buffer.rawValue].write(destination.range, by: node, after: &earlier)
        plan.steps.append(
            Step(copy: LocalCopy(source: source, destination: destination, after: merged([], earlier))))
    }

    private func carriesSomething(_ slice: Slice) -> Bool {
        !slice.range.isEmpty || plan.collective == .barrier
    }

    /// The dependencies given and found together, each once, in the order of their steps.
    private func merged(_ given: [Dependency], _ found: [Int]) -> [Dependency] {
        var nodes = given.isEmpty ? found : given.map(LocalOrder.node) + found
        if nodes.count > 1 { nodes = Set(nodes).sorted() }
        precondition(
            nodes.isEmpty || nodes[nodes.count - 1] / 2 < plan.steps.count,
            "a planner's step waits for itself: it overwrites what it sends")
        return nodes.map(LocalOrder.dependency)
    }
}
