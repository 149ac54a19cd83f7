using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace OllamaMax.TestKit;

/// <summary>
/// Passes HTTP/1.1 connections on to a port of this machine, and comes in between where a test says: it loses an answer (the server has done what it was asked, and the client never hears of it), or has
/// something done before a request arrives.
/// </summary>
public sealed class MeddlingRelay : TcpServer
{
    private readonly int _target;
    private Wanted? _wanted;
    private Awaited? _awaited;

    /// <param name="target">The port.</param>
    public MeddlingRelay(int target)
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

    /// <summary>The next request that begins so waits until this is done. Done when that is; its failure is this one's, and the request goes on.</summary>
    /// <param name="request">As of <see cref="LoseAsync"/>.</param>
    /// <param name="act">Not by way of this.</param>
    public Task BeforeAsync(string request, Func<Task> act)
    {
        Awaited awaited = new(Encoding.ASCII.GetBytes(request), act, new(TaskCreationOptions.RunContinuationsAsynchronously));
        Volatile.Write(ref _awaited, awaited);
        return awaited.Done.Task;
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
            if (Volatile.Read(ref _awaited) is { } awaited && buffer.Memory.Span[..length].StartsWith(awaited.Request) && Interlocked.CompareExchange(ref _awaited, null, awaited) == awaited)
                await awaited.ActAsync();
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

    private sealed record Awaited(byte[] Request, Func<Task> Act, TaskCompletionSource Done)
    {
        public async Task ActAsync()
        {
            try
            {
                await Act();
                Done.SetResult();
            }
            catch (Exception e)
            {
                Done.SetException(e);
            }
        }
    }

    private sealed class Connection
    {
        public volatile Wanted? Wanted;
    }
}
