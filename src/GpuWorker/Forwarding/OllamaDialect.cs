using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Models;

namespace OllamaMax.GpuWorker.Forwarding;

/// <summary>Ollama's API (https://docs.ollama.com/api): the request goes as it came.</summary>
internal sealed partial class OllamaDialect(ForwardTarget target, ILogger logger) : IServerDialect
{
    /// <summary>Models' details by digest: they never change, and each costs a request.</summary>
    private readonly Dictionary<string, JsonElement> _details = [];

    /// <summary>Models that the server did not show when it was last asked, by name and digest.</summary>
    private readonly HashSet<string> _unshown = [];

    public async Task<IReadOnlyList<ForwardedModel>> ListAsync(ServerConnection server, CancellationToken cancellationToken)
    {
        List<ForwardedModel> models = [];
        foreach (JsonElement tag in (await server.GetAsync("api/tags", cancellationToken)).Items("models"))
        {
            if (tag.Text("name") is not { } name)
                continue;
            if (await ShowAsync(server, name, tag, cancellationToken) is { } shown)
                models.Add(Model(name, tag, shown));
        }
        return models;
    }

    public ServerRequest Ask(string model, EngineRequest request)
    {
        ForwardedPrompt forward = request.Forward!;
        if (forward.Options.ContainsKey("logit_bias"))
            return ServerRequest.Refused(ServerKind.Ollama, "logit_bias");
        JsonObject body = Body(model, request.KeepAlive);
        body["stream"] = true;
        body["options"] = Options(forward, request);
        if (forward.Options.TryGetValue("shift", out JsonElement shift))
            body["shift"] = shift.ToNode();
        if (forward.Format is { } format)
            body["format"] = format.ToNode();
        if (forward.Think is { } think)
            body["think"] = think && forward.ThinkLevel is { } level ? level : think;
        if (request.Options.TopLogprobs is { } top)
        {
            body["logprobs"] = true;
            body["top_logprobs"] = top;
        }
        return forward.Messages.Count > 0 ? Chat(body, forward) : Complete(body, forward);
    }

    public ServerRequest Embed(string model, EmbedRequest request)
    {
        JsonObject body = Body(model, request.KeepAlive);
        body["input"] = new JsonArray([.. request.Inputs.Select(input => JsonValue.Create(input))]);
        body["truncate"] = request.Truncate;
        if (request.Context is { } context)
            body["options"] = new JsonObject { ["num_ctx"] = context };
        return new ServerRequest("api/embed", body);
    }

    public ServerRequest? Load(string model, TimeSpan? keepAlive)
    {
        JsonObject body = Body(model, keepAlive);
        body["stream"] = false;
        return new ServerRequest("api/generate", body);
    }

    /// <summary>A line each.</summary>
    public async IAsyncEnumerable<string> SplitAsync(Stream answer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using StreamReader lines = new(answer);
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0)
                yield return line;
        }
    }

    public IServerAnswer NewAnswer() => new OllamaAnswer();

    public (IReadOnlyList<float[]> Vectors, int Tokens) ReadVectors(JsonElement answer) => (
        [.. answer.Items("embeddings").Select(vector => vector.EnumerateArray().Select(number => number.GetSingle()).ToArray())],
        (int)(answer.Integer("prompt_eval_count") ?? 0));

    /// <summary>Null where the server cannot, as with a model whose file is damaged: the others are offered all the same.</summary>
    private async Task<JsonElement?> ShowAsync(ServerConnection server, string name, JsonElement tag, CancellationToken cancellationToken)
    {
        string key = $"{name} {tag.Text("digest")}";
        if (_details.TryGetValue(key, out JsonElement known))
            return known;
        try
        {
            JsonElement shown = await server.PostAsync(new ServerRequest("api/show", new JsonObject { ["model"] = name }), cancellationToken);
            _details[key] = shown;
            _unshown.Remove(key);
            return shown;
        }
        catch (HttpRequestException e) when (e.StatusCode is not null)
        {
            if (_unshown.Add(key))
                LogUnshown(target, name, e.Message);
            return null;
        }
    }

    private static ForwardedModel Model(string name, JsonElement tag, JsonElement shown)
    {
        JsonElement details = tag.Find("details") ?? default;
        JsonElement info = shown.Find("model_info") ?? default;
        string architecture = info.Text("general.architecture") ?? "";
        string[] capabilities = [.. shown.Items("capabilities").Select(item => item.GetString()).OfType<string>()];
        return new ForwardedModel
        {
            Kind = ServerKinds.NameOf(ServerKind.Ollama),
            Model = name,
            Name = name,
            Upstream = tag.Text("digest"),
            Capabilities = capabilities.Length > 0 ? capabilities : ["completion"],
            // One that tells no capabilities is of a version from before it told any.
            TakesImages = capabilities.Length == 0 || capabilities.Contains(ForwardedModel.Vision),
            Size = tag.Integer("size") ?? 0,
            ModifiedAt = DateTimeOffset.TryParse(tag.Text("modified_at"), CultureInfo.InvariantCulture, out DateTimeOffset modified) ? modified : default,
            Format = details.Text("format") ?? "",
            Family = details.Text("family") ?? architecture,
            ParameterSize = details.Text("parameter_size") ?? "",
            Quantization = details.Text("quantization_level") ?? "",
            ParameterCount = info.Integer("general.parameter_count") ?? 0,
            ContextLength = (int)Math.Clamp(info.Integer($"{architecture}.context_length") ?? 0, 0, int.MaxValue),
        };
    }

    private static JsonObject Body(string model, TimeSpan? keepAlive)
    {
        JsonObject body = new() { ["model"] = model };
        if (keepAlive is { } stays)
            body["keep_alive"] = stays < TimeSpan.Zero ? -1 : Math.Round(stays.TotalSeconds);
        return body;
    }

    private static JsonObject Options(ForwardedPrompt forward, EngineRequest request)
    {
        JsonObject options = [];
        foreach (var (name, value) in forward.Options.Where(option => option.Key != "shift"))
            options[name] = value.ToNode();
        options["seed"] = ServerSeed.Of(request.Seed);
        if (request.Stop.Count > 0)
            options["stop"] = new JsonArray([.. request.Stop.Select(stop => JsonValue.Create(stop))]);
        return options;
    }

    private static ServerRequest Chat(JsonObject body, ForwardedPrompt forward)
    {
        body["messages"] = new JsonArray([.. forward.Messages.Select(Message)]);
        if (forward.Tools.Count > 0)
            body["tools"] = new JsonArray([.. forward.Tools.Select(tool => tool.ToNode())]);
        return new ServerRequest("api/chat", body);
    }

    private static ServerRequest Complete(JsonObject body, ForwardedPrompt forward)
    {
        body["prompt"] = forward.Prompt;
        if (forward.Suffix.Length > 0)
            body["suffix"] = forward.Suffix;
        else
            body["raw"] = true;
        return new ServerRequest("api/generate", body);
    }

    private static JsonObject Message(ChatMessage message)
    {
        JsonObject written = new() { ["role"] = message.Role, ["content"] = message.Content };
        if (message.Images.Count > 0)
            written["images"] = new JsonArray([.. message.Images.Select(image => JsonValue.Create(Convert.ToBase64String(image.Data.Span)))]);
        if (message.Thinking is not null)
            written["thinking"] = message.Thinking;
        if (message.ToolCalls.Count > 0)
            written["tool_calls"] = new JsonArray([.. message.ToolCalls.Select(Call)]);
        if (message.ToolName is not null)
            written["tool_name"] = message.ToolName;
        if (message.ToolCallId is not null)
            written["tool_call_id"] = message.ToolCallId;
        return written;
    }

    /// <summary>Ollama takes arguments as an object only; OpenAI's clients send its JSON in a string.</summary>
    private static JsonNode Call(JsonElement call)
    {
        JsonElement function = call.Find("function") ?? default;
        if (function.Text("arguments") is not { } text || ToolCallJson.ArgumentsIn(text) is not { } arguments)
            return call.ToNode();
        JsonObject written = new() { ["function"] = new JsonObject { ["name"] = function.Text("name"), ["arguments"] = arguments.ToNode() } };
        if (call.Text("id") is { } id)
            written["id"] = id;
        return written;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Server} cannot show its model '{Model}' ({Reason}); it is not offered until it can")]
    private partial void LogUnshown(ForwardTarget server, string model, string reason);
}
