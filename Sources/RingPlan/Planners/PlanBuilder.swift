package import RingCore

/// A plan in the making: it takes sends and receives in the order in which data flow, and finds what each of
/// them must wait for.
///
/// Dependencies are what the slices ask for and no more: a read comes after the last write of any of its
/// elements, a write after the reads since the last write.
///
/// Transfers of empty slices are left out, and so are steps that are left without anything, with two
/// exceptions. A collective without any elements keeps all its transfers: they are what a barrier is made of, and
/// to the other collectives they show that a rank called with no elements while others have some. And where ranks
/// may know only their own counts, both ends keep every transfer, so that counts that differ are noticed.
package struct PlanBuilder {
    /// The plan so far.
    package private(set) var plan: Plan
    private var ledgers: [AccessLedger]
    /// Where the shares or blocks lie among the elements.
    private let parts: Chunks
    /// Where each block of an all-to-all's result lies in the output, for blocks of different sizes.
    private let columnStarts: [Int]
    private let keepsEmptySlices: Bool

    /// Begins a plan. The chunks are asked for once the request is known to be valid. Scratch grows with what the
    /// steps use.
    ///
    /// - Throws: `invalidArgument` for a request that no plan can meet, or that is not for this planner.
    package init(
        _ request: PlanRequest, for planner: any Planner.Type, chunks: @autoclosure () -> Chunks
    ) throws(CollectiveError) {
        guard request.collective == planner.collective else {
            throw CollectiveError(
                .invalidArgument,
                "\(planner.name) plans \(planner.collective.name), not \(request.collective.name)")
        }
        try request.validate()
        parts = request.parts
        plan = Plan(
            collective: request.collective, algorithm: planner.name, worldSize: request.worldSize,
            rank: request.rank, root: request.collective.isRooted ? request.root : nil,
            isInPlace: request.isInPlace, elementCount: request.elementCount, counts: request.counts,
            chunks: chunks())
        keepsEmptySlices = request.elementCount == 0 || request.countsMayBeOwn
        columnStarts = request.collective == .allToAll && request.counts != nil ? plan.columnStarts : []
        ledgers = []
        for buffer in Buffer.allCases {
            let count = buffer == .scratch ? Plan.largestCount : plan.count(of: buffer)
            ledgers.append(AccessLedger(count: count))
        }
    }

    /// Where this rank's own contribution to consecutive chunks lies at the start.
    package func contribution(_ chunks: Range<Int>) -> Slice {
        slice(plan.isInPlace ? .output : .input, chunks, from: contributionOrigin)
    }

    /// Where this rank's own contribution to a chunk lies at the start.
    package func contribution(_ chunk: Int) -> Slice { contribution(chunk..<(chunk + 1)) }

    /// Where consecutive chunks of the result lie at the end; of an all-to-all, whose result is not in the order
    /// of the elements, ask for one chunk at a time.
    package func result(_ chunks: Range<Int>) -> Slice {
        if plan.collective == .allToAll {
            precondition(chunks.count == 1, "blocks of a result do not follow one another")
            let from = chunks.lowerBound / plan.worldSize
            let size = plan.chunks[chunks.lowerBound].count
            let start = columnStarts.isEmpty ? from * size : columnStarts[from]
            return Slice(.output, chunks: chunks, start..<(start + size))
        }
        return slice(.output, chunks, from: resultOrigin)
    }

    /// Where a chunk of the result lies at the end.
    package func result(_ chunk: Int) -> Slice { result(chunk..<(chunk + 1)) }

    /// The element at the start of the buffer that the contribution is in.
    private var contributionOrigin: Int {
        switch plan.collective {
        case .allGather, .gather: plan.isInPlace ? 0 : parts[plan.rank].lowerBound
        case .allToAll: plan.row(in: parts).lowerBound
        case .allReduce, .reduceScatter, .broadcast, .reduce, .scatter, .barrier, .sendReceive: 0
        }
    }

    /// The element at the start of the output.
    private var resultOrigin: Int {
        switch plan.collective {
        case .reduceScatter, .scatter: plan.isInPlace ? 0 : parts[plan.rank].lowerBound
        case .allReduce, .allGather, .broadcast, .reduce, .gather, .allToAll, .barrier, .sendReceive: 0
        }
    }

    private func slice(_ buffer: Buffer, _ chunks: Range<Int>, from origin: Int) -> Slice {
        let elements = plan.chunks.elements(of: chunks)
        return Slice(buffer, chunks: chunks, (elements.lowerBound - origin)..<(elements.upperBound - origin))
    }

    /// The place of consecutive chunks in scratch memory, from this offset on.
    package func scratch(_ chunks: Range<Int>, at offset: Int) -> Slice {
        Slice(.scratch, chunks: chunks, offset..<(offset + plan.chunks.elements(of: chunks).count))
    }

    /// A chunk's place in scratch memory, from this offset on.
    package func scratch(_ chunk: Int, at offset: Int) -> Slice {
        scratch(chunk..<(chunk + 1), at: offset)
    }

    /// Adds a step of a send, a receive, or both.
    ///
    /// What their `after` holds already is kept, for an order that no slice asks for.
    package mutating func step(send: Send? = nil, receive: Receive? = nil) {
        let index = plan.steps.count
        var step = Step()
        if var send, carriesSomething(send.source) {
            var earlier: [Int] = []
            read(send.source, by: .sent(index), after: &earlier)
            send.after = merged(send.after, earlier)
            step.send = send
        }
        if var receive, carriesSomething(receive.destination) {
            var earlier: [Int] = []
            if case .reduce(let own, _) = receive.action { read(own, by: .received(index), after: &earlier) }
            write(receive.destination, by: .received(index), after: &earlier)
            receive.after = merged(receive.after, earlier)
            step.receive = receive
        }
        if step.send != nil || step.receive != nil { plan.steps.append(step) }
    }

    /// Copies a slice to where it belongs, unless it is there already.
    package mutating func place(_ source: Slice, in destination: Slice) {
        guard source != destination, !source.range.isEmpty else { return }
        let index = plan.steps.count
        var earlier: [Int] = []
        read(source, by: .received(index), after: &earlier)
        write(destination, by: .received(index), after: &earlier)
        plan.steps.append(
            Step(copy: LocalCopy(source: source, destination: destination, after: merged([], earlier))))
    }

    /// The plan of a rank that is alone in the world, once its contribution, all of it, is where its result
    /// belongs.
    package var alone: Plan {
        mutating get {
            let all = plan.chunks.indices
            place(contribution(all), in: result(all))
            return plan
        }
    }

    private func carriesSomething(_ slice: Slice) -> Bool {
        keepsEmptySlices || !slice.range.isEmpty
    }

    private mutating func read(_ slice: Slice, by access: Dependency, after earlier: inout [Int]) {
        ledgers[slice.buffer.rawValue].read(slice.range, by: LocalOrder.node(of: access), after: &earlier)
    }

    private mutating func write(_ slice: Slice, by access: Dependency, after earlier: inout [Int]) {
        if slice.buffer == .scratch { plan.scratchCount = max(plan.scratchCount, slice.range.upperBound) }
        ledgers[slice.buffer.rawValue].write(slice.range, by: LocalOrder.node(of: access), after: &earlier)
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
