using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OllamaMax.TestKit;

/// <summary>
/// A forward proxy of the strict kind: it passes plain HTTP on, to this machine whatever host is asked for, and refuses tunnels, so that
/// no WebSocket comes through.
/// </summary>
public sealed class ForwardProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly ConcurrentQueue<string> _seen = new();
    private readonly Task _loop;

    public ForwardProxy()
    {
        _listener.Start();
        _loop = AcceptAsync();
    }

    public Uri Address => new($"http://{_listener.LocalEndpoint}");

    /// <summary>The first line of each connection, such as <c>GET http://host:80/path HTTP/1.1</c>.</summary>
    public IReadOnlyCollection<string> Seen => _seen;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException && _stop.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream from = client.GetStream();
                byte[] start = new byte[16 << 10];
                int length = await ReadLineAsync(from, start);
                string line = Encoding.ASCII.GetString(start, 0, length).Split('\r')[0];
                _seen.Enqueue(line);
                if (line.Split(' ') is not [not "CONNECT", var url, _] || !Uri.TryCreate(url, UriKind.Absolute, out Uri? target))
                {
                    await from.WriteAsync("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray(), _stop.Token);
                    return;
                }
                using TcpClient server = new();
                await server.ConnectAsync(IPAddress.Loopback, target.Port, _stop.Token);
                NetworkStream to = server.GetStream();
                // The form with the whole URL is good for servers too.
                await to.WriteAsync(start.AsMemory(0, length), _stop.Token);
                await Task.WhenAny(from.CopyToAsync(to, _stop.Token), to.CopyToAsync(from, _stop.Token));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One side has gone; the other learns it by the end of its connection.
            }
        }
    }

    private async Task<int> ReadLineAsync(NetworkStream from, byte[] buffer)
    {
        int length = 0;
        while (!buffer.AsSpan(0, length).Contains((byte)'\n'))
        {
            int read = await from.ReadAsync(buffer.AsMemory(length), _stop.Token);
            if (read == 0)
                break;
            length += read;
        }
        return length;
    }
}
