using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Models;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Requests;

/// <summary>
/// Makes what a server is asked whose model a worker forwards to: the request itself, since that server has the model's template. What it cannot do, only
/// its worker can say.
/// </summary>
internal static class ForwardedPromptMaker
{
    public static Result<ForwardedPrompt> Make(InferenceRequest request, ModelView model)
    {
        if (request.Template is not null)
            return ApiError.BadRequest($"\"{request.Model}\" does not support template: the server that it runs on applies the model's own");
        if (request.ToolChoice.IsRequired && model.Forwarded is not { CanRequireCalls: true })
            return ApiError.BadRequest($"\"{request.Model}\" runs on a server that cannot be held to call a tool: tool_choice can only be auto or none") with { Field = "tool_choice" };
        ForwardedPrompt prompt = new()
        {
            Messages = request.RawPrompt is null ? request.Messages : [],
            Prompt = request.RawPrompt ?? "",
            Suffix = request.Suffix,
            Tools = request.Tools,
            RequiresCalls = request.ToolChoice.IsRequired,
            RequiredTool = request.ToolChoice.Name,
            Format = request.Options.Format?.Source,
            Think = request.Think ?? AsksToThink(request, model),
            ThinkLevel = request.ThinkLevel,
            Options = GivenOptions.Of(request.Options),
        };
        return CanTravel(prompt) ? prompt : ApiError.BadRequest("the request must be valid Unicode text");
    }

    /// <summary>A level asks for reasoning, where the model can; a server that does not say whether it can is sent the level alone.</summary>
    private static bool? AsksToThink(InferenceRequest request, ModelView model) =>
        request.ThinkLevel is not null && model.Capabilities.Contains("thinking") ? true : null;

    /// <summary>Images are bytes, and travel as such. JSON's grammar allows half a surrogate pair as an escape, and no writer does: better found out here than on the way to a worker.</summary>
    private static bool CanTravel(ForwardedPrompt prompt)
    {
        try
        {
            JsonSerializer.SerializeToUtf8Bytes(prompt with { Messages = [.. prompt.Messages.Select(message => message with { Images = [] })] }, ProtocolJson.Default.ForwardedPrompt);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }
}
