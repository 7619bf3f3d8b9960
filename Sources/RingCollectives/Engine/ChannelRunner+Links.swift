import RingTransport

extension ChannelRunner {
    /// How much of the running program has been received: grows with every byte and every transfer; the largest
    /// number once nothing is missing. For the watchdog, before the thread sleeps.
    var receivedSoFar: UInt64 {
        var received: UInt64 = 0
        var isEverything = true
        for lane in program.lanes {
            for index in lane.receives {
                received += UInt64(done[index]) + (isComplete[index] ? 1 : 0)
                if !isComplete[index] { isEverything = false }
            }
        }
        return isEverything ? .max : received
    }

    /// Ends all links; what was sent still arrives. The channel is of no use afterwards.
    func closeLinks() {
        for link in links.values { link.close() }
        links = [:]
    }
}
