import RingTransport

extension ChannelRunner {
    /// Ends all links; what was sent still arrives. The channel is of no use afterwards.
    func closeLinks() {
        for link in links.values { link.close() }
        links = [:]
    }
}
