import RingCore

// The two halves of the direct algorithms: everyone sends straight to everyone. There is a chunk a rank, its
// owner's.
extension PlanBuilder {
    /// Adds the sending of this rank's contributions to the chunks' owners, and the reduction of its own chunk, in
    /// the order of the ranks before it around the ring. Returns where the complete reduction is.
    package mutating func directReduceScatter() -> Slice {
        let (rank, worldSize) = (plan.rank, plan.worldSize)
        var held = contribution(rank)
        // In every step, each rank sends to another one.
        for distance in 1..<max(1, worldSize) {
            let next = (rank + distance) % worldSize
            let previous = (rank + worldSize - distance) % worldSize
            let action = Receive.Action.reduce(own: held, isFinal: distance == worldSize - 1)
            step(
                send: Send(peer: next, source: contribution(next)),
                receive: Receive(peer: previous, destination: result(rank), action: action))
            held = result(rank)
        }
        return held
    }

    /// Adds the sending of this rank's chunk to all others, and the receiving of theirs.
    package mutating func directAllGather(from own: Slice) {
        let (rank, worldSize) = (plan.rank, plan.worldSize)
        for distance in 1..<max(1, worldSize) {
            let previous = (rank + worldSize - distance) % worldSize
            step(
                send: Send(peer: (rank + distance) % worldSize, source: own),
                receive: Receive(peer: previous, destination: result(previous)))
        }
        place(own, in: result(rank))
    }
}
