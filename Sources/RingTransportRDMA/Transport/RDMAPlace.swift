import RingCore
package import RingSystem

/// Where a job on this host would listen for RDMA.
package struct RDMAPlace: Hashable, Sendable {
    /// The device and port: `mlx5_0:1`.
    package var device: String
    package var address: SocketAddress

    /// Finds out by listening there for a moment, on addresses of `interfaces`.
    ///
    /// Throws as ``RDMATransport`` does, in rank 0's name.
    package static func all(
        options: RDMAOptions, verbs: any Verbs, interfaces: [NetworkInterface]
    ) throws -> [RDMAPlace] {
        let reactor: RDMAReactor
        do {
            reactor = try RDMAReactor(verbs)
        } catch { throw RDMAErrors.begin(error, rank: 0) }
        return try RDMAListening(reactor: reactor, options: options, rank: 0, interfaces: interfaces)
            .listeners()
            .map { RDMAPlace(device: $0.device, address: $0.address) }
    }

    package init(device: String, address: SocketAddress) {
        self.device = device
        self.address = address
    }
}
