using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.GpuWorker.Health;

namespace OllamaMax.GpuWorker;

/// <summary>
/// The command <c>join</c>: lets this box in, and ends. Who sets a box up sees at once whether its token is good, and the service that runs from then on is never told one.
/// </summary>
internal static class JoinCommand
{
    /// <summary>An edge that slept needs some seconds; one that does not answer for this long is not there.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static Command Create()
    {
        var join = new Command("join", "Let this box into a cluster, and end")
        {
            WorkerCommand.Edge, WorkerCommand.Authority, WorkerCommand.JoinToken, WorkerCommand.Data, WorkerCommand.Name,
        };
        join.SetAction(RunAsync);
        return join;
    }

    private static async Task<int> RunAsync(ParseResult result, CancellationToken cancellationToken)
    {
        WorkerOptions options;
        try
        {
            options = WorkerCommand.ReadIdentity(result);
            options.Validate();
        }
        catch (ArgumentException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        await using ServiceProvider services = new ServiceCollection()
            .AddLogging(PlainLogging.Configure)
            .AddWorker(options)
            .BuildServiceProvider();
        using CancellationTokenSource patience = new(Patience, services.GetRequiredService<TimeProvider>());
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            Capabilities capabilities = services.GetRequiredService<Capabilities>();
            await capabilities.StartAsync(end.Token);
            await Console.Out.WriteLineAsync($"{options.Edge} knows this box as worker {capabilities.WorkerId}");
            return 0;
        }
        catch (EnrolmentException e)
        {
            await Console.Error.WriteLineAsync($"{options.Edge} does not let this box in: {e.Message}");
            return WorkerCommand.NotLetIn;
        }
        catch (IdentityException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync($"{options.Edge} cannot be reached");
            return 3;
        }
    }
}
