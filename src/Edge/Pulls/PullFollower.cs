using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Ollama;

namespace OllamaMax.Edge.Pulls;

/// <summary>Shows a client how a pull goes on; to one that wants a single answer nothing but that something is alive.</summary>
internal sealed class PullFollower(IOptions<EdgeOptions> options, TimeProvider time)
{
    /// <summary>Until the pull has ended. Its own <c>success</c> is not shown: what the client asked for may not be done yet.</summary>
    /// <returns>Null when the model is there; otherwise why it is not.</returns>
    /// <exception cref="OperationCanceledException">The client has left.</exception>
    public async Task<string?> FollowAsync(HttpContext context, PullHandle pull, ProgressLines progress)
    {
        if (!progress.IsStream)
        {
            await new SilenceFiller(context, options.Value, time).WaitAsync(pull.Ended);
            return await pull.Ended;
        }
        await foreach (PullLine line in pull.FollowAsync(options.Value.HeartbeatInterval, context.RequestAborted))
        {
            if (line.Status == PullLine.Success)
                continue;
            progress.Say(line);
            await progress.FlushAsync();
        }
        return await pull.Ended;
    }
}
