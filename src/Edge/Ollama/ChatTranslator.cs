using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Ollama;

/// <summary><c>POST /api/chat</c> (https://docs.ollama.com/api/chat) to the internal request.</summary>
internal static class ChatTranslator
{
    private const int LongestRole = 64;

    public static Result<OllamaRequest> Translate(JsonFields request)
    {
        string model = CommonFields.ReadModel(request);
        bool isStream = request.Flag("stream") ?? true;
        RequestedOptions options = OllamaOptions.Read(request);
        ThinkField think = ThinkField.Read(request);
        CommonFields.Check(request);
        bool isRenderOnly = CommonFields.ReadRenderOnly(request);
        ChatMessage[] messages = [.. request.Objects("messages").Select(ReadMessage)];
        JsonElement[] tools = ReadTools(request);
        TimeSpan? keepAlive = CommonFields.ReadKeepAlive(request);
        if (request.Errors.First is { } error)
            return error;
        InferenceRequest inference = new()
        {
            Model = model,
            IsLoad = messages.Length == 0,
            KeepAlive = keepAlive,
            Messages = messages,
            Tools = tools,
            Think = think.Think,
            ThinkLevel = think.Level,
            Options = options,
        };
        return new OllamaRequest(inference, isStream) { IsRenderOnly = isRenderOnly && !inference.IsLoad };
    }

    private static ChatMessage ReadMessage(JsonFields message)
    {
#pragma warning disable CA1308 // Roles are lower case in every template.
        string role = message.Text("role")?.ToLowerInvariant() ?? "";
#pragma warning restore CA1308
        if (role.Length is 0 or > LongestRole)
            message.Errors.Add(message.PathOf("role"), "must be a role such as \"user\"");
        return new(role, message.Text("content") ?? "")
        {
            Thinking = message.Text("thinking"),
            ToolCalls = [.. message.Objects("tool_calls").Select(ReadToolCall)],
            ToolName = message.Text("tool_name"),
            ToolCallId = message.Text("tool_call_id"),
            Images = CommonFields.ReadImages(message),
        };
    }

    private static JsonElement ReadToolCall(JsonFields call)
    {
        CheckFunction(call);
        return call.Copy();
    }

    private static JsonElement[] ReadTools(JsonFields request)
    {
        IReadOnlyList<JsonFields> tools = request.Objects("tools");
        foreach (JsonFields tool in tools)
            CheckFunction(tool);
        return [.. tools.Select(tool => tool.Copy())];
    }

    private static void CheckFunction(JsonFields parent)
    {
        if (parent.Object("function") is not { } function)
            parent.Errors.Add(parent.PathOf("function"), "is required");
        else if (string.IsNullOrEmpty(function.Text("name")))
            parent.Errors.Add(function.PathOf("name"), "is required");
    }
}
