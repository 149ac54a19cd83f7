using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OllamaMax.TestKit;

/// <summary>
/// A forward proxy of the strict kind: it passes plain HTTP on, to this machine whatever host is asked for, and refuses tunnels, so that
/// no WebSocket comes through.
/// </summary>
public sealed class ForwardProxy : TcpServer
{
    private readonly ConcurrentQueue<string> _seen = new();

    public ForwardProxy() => Start();

    public Uri Address => new($"http://{IPAddress.Loopback}:{Port}");

    /// <summary>The first line of each connection, such as <c>GET http://host:80/path HTTP/1.1</c>.</summary>
    public IReadOnlyCollection<string> Seen => _seen;

    protected override async Task ServeAsync(TcpClient client)
    {
        NetworkStream from = client.GetStream();
        byte[] start = new byte[16 << 10];
        int length = await ReadLineAsync(from, start);
        string line = Encoding.ASCII.GetString(start, 0, length).Split('\r')[0];
        _seen.Enqueue(line);
        if (line.Split(' ') is not [not "CONNECT", var url, _] || !Uri.TryCreate(url, UriKind.Absolute, out Uri? target))
        {
            await from.WriteAsync("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), Stopping);
            return;
        }
        using TcpClient server = new();
        await server.ConnectAsync(IPAddress.Loopback, target.Port, Stopping);
        NetworkStream to = server.GetStream();
        // The form with the whole URL is good for servers too.
        await to.WriteAsync(start.AsMemory(0, length), Stopping);
        await Task.WhenAny(from.CopyToAsync(to, Stopping), to.CopyToAsync(from, Stopping));
    }

    private async Task<int> ReadLineAsync(NetworkStream from, byte[] buffer)
    {
        int length = 0;
        while (!buffer.AsSpan(0, length).Contains((byte)'\n'))
        {
            int read = await from.ReadAsync(buffer.AsMemory(length), Stopping);
            if (read == 0)
                break;
            length += read;
        }
        return length;
    }
}
