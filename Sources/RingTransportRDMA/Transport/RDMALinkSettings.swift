import RingTransport

extension RDMAOptions {
    /// The ring at each end of a link: links for control carry little.
    func shape(for identifier: LinkIdentifier) -> RingShape {
        identifier.channel == LinkIdentifier.controlChannel
            ? RingShape(slotSize: 4096, slotCount: 16) : RingShape(slotSize: slotSize, slotCount: slotCount)
    }

    /// What is set on a path whose peer wants packets of at most `peerMTU` bytes.
    func path(peerMTU: Int?) -> PathSettings {
        var path = PathSettings()
        path.mtu = [mtu, peerMTU].compactMap { $0 }.filter { $0 > 0 }.min()
        path.trafficClass = trafficClass
        path.serviceLevel = serviceLevel
        path.retryCount = retryCount
        path.receiverRetryCount = receiverRetryCount
        return path
    }

    /// What is said of an end when a connection is made.
    func parameters(_ data: [UInt8], queueNumber: UInt32) -> ConnectionParameters {
        ConnectionParameters(
            data: data, retryCount: retryCount, receiverRetryCount: receiverRetryCount,
            queueNumber: queueNumber)
    }
}
