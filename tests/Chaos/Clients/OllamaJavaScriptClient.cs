using System.Text;
using System.Text.Json;
using OllamaMax.TestKit;

namespace OllamaMax.Chaos.Tests.Clients;

/// <summary>The official JavaScript client, in a Node process of its own.</summary>
internal sealed class OllamaJavaScriptClient(Uri edge) : IChaosClient
{
    private readonly NodeScript _script = new(NodeScript.Beside("ollama.mjs"), edge.GetLeftPart(UriPartial.Authority));

    public async Task<Outcome> AskAsync(string id, Question question, Pulse pulse, CancellationToken cancellationToken)
    {
        await _script.SendAsync(question.Body(isStreamed: true).ToJsonString());
        StringBuilder text = new();
        int? tokens = null;
        while (true)
        {
            (string happened, JsonElement value) = await _script.NextAsync(cancellationToken);
            switch (happened)
            {
                case "part":
                    text.Append(value.GetProperty("response").GetString());
                    tokens = value.TryGetProperty("eval_count", out JsonElement count) ? count.GetInt32() : null;
                    pulse.Beat();
                    break;
                case "end":
                    return new(id, question, text.ToString(), tokens, null);
                default:
                    return new(id, question, text.ToString(), null, value.GetString());
            }
        }
    }

    public ValueTask DisposeAsync() => _script.DisposeAsync();
}
