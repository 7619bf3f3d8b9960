/// What moving a message between two ranks costs.
package struct LinkCost: Sendable, Hashable {
    /// Seconds from when the sender has handed a message over to when a receiver that waits for it notices.
    package var latency: Double
    /// Processor seconds that a message costs at each end, whatever its length: header, system call, protocol.
    package var perMessage: Double
    /// Processor seconds that a byte costs at each end: the copy between the program and the kernel.
    package var perByte: Double
    /// Bytes a second that a host's network carries, each way at once, for all its ranks together; infinite
    /// where there is no network.
    package var bandwidth: Double

    /// Creates a cost from its parts.
    package init(latency: Double, perMessage: Double, perByte: Double, bandwidth: Double = .infinity) {
        self.latency = latency
        self.perMessage = perMessage
        self.perByte = perByte
        self.bandwidth = bandwidth
    }
}

/// What the ranks' work costs on a machine and its network: all that the cost model knows of them.
///
/// Times are in seconds. ``standard`` is the one place of the defaults; a ``TuningDocument`` carries measured
/// ones.
package struct CostParameters: Sendable, Hashable {
    /// Between ranks of one host.
    package var sameHost: LinkCost
    /// Between ranks of different hosts.
    package var betweenHosts: LinkCost
    /// Processor seconds to combine a received byte with one's own.
    package var reducePerByte: Double
    /// Processor seconds to copy a byte from one buffer to another.
    package var copyPerByte: Double
    /// Seconds that an operation costs apart from its messages: the call, the lock, the plan's look-up.
    package var perOperation: Double
    /// Processor seconds to put a waiting rank back to work where a host's ranks outnumber its processors, so
    /// that waiting means sleeping.
    package var perSwitch: Double
    /// Seconds from a message's arrival until a rank that slept gets a processor there.
    package var perWake: Double
    /// How many bytes of a message are on their way before the receiver sees the first: what a transfer that
    /// follows another byte by byte lags behind it.
    package var grain: Double

    /// Creates parameters from their parts.
    package init(
        sameHost: LinkCost, betweenHosts: LinkCost, reducePerByte: Double, copyPerByte: Double,
        perOperation: Double, perSwitch: Double, perWake: Double, grain: Double
    ) {
        self.sameHost = sameHost
        self.betweenHosts = betweenHosts
        self.reducePerByte = reducePerByte
        self.copyPerByte = copyPerByte
        self.perOperation = perOperation
        self.perSwitch = perSwitch
        self.perWake = perWake
        self.grain = grain
    }

    /// TCP on a server's processor: within a host over loopback, near what chooses best among measured all-reduces of 2 to 8
    /// ranks on two cores of an Intel Xeon (`Benchmarks/check-choice`); between hosts over 25 Gbit/s Ethernet.
    package static let standard = CostParameters(
        sameHost: LinkCost(latency: 0.05e-6, perMessage: 1.5e-6, perByte: 0.11e-9),
        betweenHosts: LinkCost(latency: 15e-6, perMessage: 2.5e-6, perByte: 0.15e-9, bandwidth: 3.125e9),
        reducePerByte: 0.09e-9, copyPerByte: 0.08e-9, perOperation: 2.5e-6, perSwitch: 2.6e-6,
        perWake: 0.6e-6,
        grain: 65_536)
}

extension CostParameters {
    /// The parameters by the names that documents and reports give them, in their order.
    package static var fields: [(name: String, path: WritableKeyPath<CostParameters, Double>)] {
        [
            ("same_host_latency", \.sameHost.latency),
            ("same_host_per_message", \.sameHost.perMessage),
            ("same_host_per_byte", \.sameHost.perByte),
            ("between_hosts_latency", \.betweenHosts.latency),
            ("between_hosts_per_message", \.betweenHosts.perMessage),
            ("between_hosts_per_byte", \.betweenHosts.perByte),
            ("between_hosts_bandwidth", \.betweenHosts.bandwidth),
            ("reduce_per_byte", \.reducePerByte),
            ("copy_per_byte", \.copyPerByte),
            ("per_operation", \.perOperation),
            ("per_switch", \.perSwitch),
            ("per_wake", \.perWake),
            ("grain", \.grain),
        ]
    }

    /// The name of the first parameter that cannot be right (negative, not finite, no bandwidth); nil if all
    /// can.
    package var firstInvalidField: String? {
        Self.fields.first { _, path in
            let value = self[keyPath: path]
            return !value.isFinite || value < 0 || (path == \.betweenHosts.bandwidth && value == 0)
        }?.name
    }
}
