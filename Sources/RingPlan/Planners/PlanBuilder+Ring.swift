import RingCore

// The two halves of the ring algorithms. Rank r sends to r + 1 and receives from r - 1, one chunk a step.
// There is a chunk a rank, and chunk r is complete on rank r in the middle, so that the halves serve
// reduce-scatter and all-gather as they are.
extension PlanBuilder {
    private var next: Rank { (plan.rank + 1) % plan.worldSize }
    private var previous: Rank { (plan.rank + plan.worldSize - 1) % plan.worldSize }

    private func chunk(before distance: Int) -> Int {
        (plan.rank + 2 * plan.worldSize - distance) % plan.worldSize
    }

    /// Adds the n-1 steps after which this rank holds the complete reduction of its own chunk.
    ///
    /// The slice for each received chunk is asked for with the chunk and the step's number; the last one is
    /// the complete reduction. Returns where that is.
    package mutating func ringReduceScatter(into slice: (_ chunk: Int, _ step: Int) -> Slice) -> Slice {
        let steps = plan.worldSize - 1
        var held = contribution(chunk(before: 1))
        for step in 0..<steps {
            let incoming = chunk(before: step + 2)
            let destination = slice(incoming, step)
            self.step(
                send: Send(peer: next, source: held),
                receive: Receive(
                    peer: previous, destination: destination,
                    action: .reduce(own: contribution(incoming), isFinal: step == steps - 1)))
            held = destination
        }
        return held
    }

    /// Adds the n-1 steps after which every rank holds every chunk, from the slice that holds this rank's
    /// chunk.
    package mutating func ringAllGather(from own: Slice) {
        var held = own
        for step in 0..<(plan.worldSize - 1) {
            let destination = result(chunk(before: step + 1))
            self.step(
                send: Send(peer: next, source: held),
                receive: Receive(peer: previous, destination: destination))
            // After the first step, so that the copy neither delays the first bytes nor ends last.
            if step == 0 { place(own, in: result(plan.rank)) }
            held = destination
        }
        if plan.worldSize == 1 { place(own, in: result(plan.rank)) }
    }
}
