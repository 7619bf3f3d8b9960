import RingCore

// The two halves of the ring algorithms, along one ring or several side by side. One chunk a step goes around
// each ring, and a rank's own chunk is complete there in the middle, so that the halves serve reduce-scatter
// and all-gather as they are.
extension PlanBuilder {
    /// Adds the n-1 steps after which this rank holds the complete reduction of its own chunk of each ring.
    ///
    /// The slice for each received chunk is asked for with the chunk and the step's number; the last one is
    /// the complete reduction. Returns where those are.
    package mutating func ringReduceScatter(
        along rings: [Ring], into slice: (_ chunk: Int, _ step: Int) -> Slice
    ) -> [Slice] {
        let steps = plan.worldSize - 1
        var held = rings.map { contribution($0.chunk(behind: 1)) }
        for step in 0..<steps {
            for (index, ring) in rings.enumerated() {
                let incoming = ring.chunk(behind: step + 2)
                let destination = slice(incoming, step)
                self.step(
                    send: Send(peer: ring.next, source: held[index]),
                    receive: Receive(
                        peer: ring.previous, destination: destination,
                        action: .reduce(own: contribution(incoming), isFinal: step == steps - 1)))
                held[index] = destination
            }
        }
        return held
    }

    /// Adds the n-1 steps after which every rank holds every chunk, from the slices that hold this rank's own.
    package mutating func ringAllGather(along rings: [Ring], from own: [Slice]) {
        let steps = plan.worldSize - 1
        var held = own
        for step in 0..<steps {
            for (index, ring) in rings.enumerated() {
                let destination = result(ring.chunk(behind: step + 1))
                self.step(
                    send: Send(peer: ring.next, source: held[index]),
                    receive: Receive(peer: ring.previous, destination: destination))
                held[index] = destination
            }
            // After the first step, so that the copy neither delays the first bytes nor ends last.
            if step == 0 { place(own) }
        }
        if steps == 0 { place(own) }
    }

    private mutating func place(_ own: [Slice]) {
        for slice in own { place(slice, in: result(slice.chunks)) }
    }
}
