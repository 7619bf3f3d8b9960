package import RingSystem

/// What a rank publishes so that others can reach it: its host and the addresses it listens on.
package struct AddressCard: Hashable, Sendable {
    /// Which host, so that ranks know whom they share one with.
    package var host: String
    /// Where it listens, at least one address.
    package var addresses: [SocketAddress]

    /// The card of a rank.
    package init(host: String, addresses: [SocketAddress]) {
        self.host = host
        self.addresses = addresses
    }

    /// The card as bytes: a length and the host's name; a count, and a length, bytes, port and scope an address.
    package var bytes: [UInt8] {
        var bytes = [UInt8(host.utf8.count)] + host.utf8 + [UInt8(addresses.count)]
        for address in addresses {
            bytes.append(UInt8(address.host.count))
            bytes += address.host
            bytes += [UInt8(address.port & 0xFF), UInt8(address.port >> 8)]
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: address.scope >> ($0 * 8)) }
        }
        return bytes
    }
}

extension AddressCard {
    /// The address that a link uses: channels take turns, control links use the first.
    package func address(for identifier: LinkIdentifier) -> SocketAddress {
        let turn = identifier.channel == LinkIdentifier.controlChannel ? 0 : Int(identifier.channel)
        return addresses[turn % addresses.count]
    }

    /// Reads ``bytes``; nil if they are not a card.
    package init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        guard let length = take(1)?.first, let name = take(Int(length)), let count = take(1)?.first, count > 0
        else { return nil }
        host = String(decoding: name, as: UTF8.self)
        addresses = []
        for _ in 0..<count {
            guard let length = take(1)?.first, length == 4 || length == 16, let host = take(Int(length)),
                let port = take(2).map(Array.init), let scope = take(4)
            else { return nil }
            addresses.append(
                SocketAddress(
                    host: Array(host), port: UInt16(port[0]) | UInt16(port[1]) << 8,
                    scope: scope.reversed().reduce(0) { $0 << 8 | UInt32($1) }))
        }
        guard rest.isEmpty else { return nil }
    }
}
