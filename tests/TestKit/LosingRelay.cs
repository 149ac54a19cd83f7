using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OllamaMax.TestKit;

/// <summary>Passes HTTP/1.1 connections on to a port of this machine, and loses answers that a test names: the server has done what it was asked, and the client never hears of it.</summary>
public sealed class LosingRelay : TcpServer
{
    private readonly int _target;
    private Wanted? _wanted;

    /// <param name="target">The port.</param>
    public LosingRelay(int target)
    {
        _target = target;
        Start();
    }

    /// <summary>An account's connection string, by way of this.</summary>
    public string Through(string connection) => connection.Replace($":{_target}/", $":{Port}/", StringComparison.Ordinal);

    /// <summary>The next answer to a request that begins so is lost, and its connection with it. Done when that has happened.</summary>
    /// <param name="request">Method and path, as <c>PUT /account/container/name</c>.</param>
    public Task LoseAsync(string request)
    {
        Wanted wanted = new(Encoding.ASCII.GetBytes(request), new(TaskCreationOptions.RunContinuationsAsynchronously));
        Volatile.Write(ref _wanted, wanted);
        return wanted.Lost.Task;
    }

    protected override async Task ServeAsync(TcpClient client)
    {
        using TcpClient server = new();
        await server.ConnectAsync(IPAddress.Loopback, _target, Stopping);
        NetworkStream from = client.GetStream(), to = server.GetStream();
        Connection connection = new();
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(Stopping);
        Task[] both = [PassRequestsAsync(from, to, connection, end.Token), PassAnswersAsync(to, from, connection, end.Token)];
        await Task.WhenAny(both);
        await end.CancelAsync();
        await Task.WhenAll(both);
    }

    private async Task PassRequestsAsync(NetworkStream from, NetworkStream to, Connection connection, CancellationToken cancellationToken)
    {
        using IMemoryOwner<byte> buffer = MemoryPool<byte>.Shared.Rent(64 << 10);
        while (await from.ReadAsync(buffer.Memory, cancellationToken) is > 0 and int length)
        {
            // A client that waits for one answer after the other begins each request with a packet.
            if (Volatile.Read(ref _wanted) is { } wanted && buffer.Memory.Span[..length].StartsWith(wanted.Request) && Interlocked.CompareExchange(ref _wanted, null, wanted) == wanted)
                connection.Wanted = wanted;
            await to.WriteAsync(buffer.Memory[..length], cancellationToken);
        }
    }

    private static async Task PassAnswersAsync(NetworkStream from, NetworkStream to, Connection connection, CancellationToken cancellationToken)
    {
        using IMemoryOwner<byte> buffer = MemoryPool<byte>.Shared.Rent(64 << 10);
        while (await from.ReadAsync(buffer.Memory, cancellationToken) is > 0 and int length)
        {
            if (connection.Wanted is { } wanted)
            {
                wanted.Lost.SetResult();
                return;
            }
            await to.WriteAsync(buffer.Memory[..length], cancellationToken);
        }
    }

    private sealed record Wanted(byte[] Request, TaskCompletionSource Lost);

    private sealed class Connection
    {
        public volatile Wanted? Wanted;
    }
}
