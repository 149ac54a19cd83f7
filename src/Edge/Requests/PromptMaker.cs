using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Templates;
using OllamaMax.Grammars;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Requests;

/// <summary>Makes the prompt of a request, and says what will have to be taken apart in the answer.</summary>
internal sealed class PromptMaker(IPromptRenderer templates)
{
    public Result<RenderedPrompt> Make(InferenceRequest request, ModelView model)
    {
        ModelView shown = Shown(request, model);
        if (TextOf(request, model).Failed(out ApiError? error, out string? text))
            return error;
        // A raw prompt's answer is left as it is, unless reasoning is asked for.
        bool isLeft = request.Suffix.Length > 0 || (request.RawPrompt is not null && request.Think != true);
        ToolCallForm form = request.Tools.Count > 0 ? ModelOutputForms.ToolCalls(shown.Template) : ToolCallForm.None;
        OutputParsing parsing = new()
        {
            Thinking = isLeft ? null : Tags(request, shown, text),
            Answer = isLeft ? null : Frame(request, shown, text),
            Harmony = isLeft ? null : ModelOutputForms.Harmony(shown.Template, text),
            Addressed = isLeft ? null : ModelOutputForms.Addressed(shown.Template, text),
            ToolCalls = form,
            Arguments = ToolArguments.Of(form, request.Tools.Select(CallableTool.Of)),
        };
        if (RequestedGrammar.Of(request, parsing, out string? grammar) is { } refused)
            return refused;
        if (grammar is not null && ContinuedTurn.IsAsked(request))
            return ApiError.BadRequest("messages must not end with the assistant's where the answer is held to a format or to calls: what goes on with a text cannot be") with { Field = "messages" };
        return new RenderedPrompt(text, parsing, BehindThinking(grammar, request, parsing));
    }

    /// <summary>The prompt alone, for whom does not want it answered.</summary>
    public Result<string> TextOf(InferenceRequest request, ModelView model)
    {
        ModelView shown = Shown(request, model);
        return Text(request with { Messages = ModelfileMessages.Before(request, shown) }, shown);
    }

    /// <summary>The model with the request's template.</summary>
    private static ModelView Shown(InferenceRequest request, ModelView model) =>
        request.Template is { } template ? model with { Template = template } : model;

    private Result<string> Text(InferenceRequest request, ModelView model)
    {
        if (request.Suffix.Length > 0)
        {
            return model.FillInTheMiddle is { } fill
                ? fill.Prompt(request.RawPrompt ?? "", request.Suffix)
                : ApiError.BadRequest($"\"{request.Model}\" does not support insert");
        }
        if (request.RawPrompt is { } raw)
            return raw;
        if (model.Template is not null)
            return Render(request, model);
        return request.IsCompletion && request.Messages.All(message => message.Role is "user" or "assistant")
            ? string.Concat(request.Messages.Select(message => message.Content))
            : ApiError.BadRequest($"\"{request.Model}\" has no chat template: it completes a prompt of /api/generate, without system");
    }

    private Result<string> Render(InferenceRequest request, ModelView model)
    {
        bool canThink = model.Capabilities.Contains("thinking");
        bool isHarmony = ModelOutputForms.IsHarmony(model.Template);
        IReadOnlyList<JsonElement> tools = isHarmony ? DescribedTools.Of(request.Tools) : request.Tools;
        string RenderTurns(IReadOnlyList<ChatMessage> turns, bool addGenerationPrompt, bool think)
        {
            TemplateOptions options = new() { Think = canThink ? think : null, ReasoningEffort = request.ThinkLevel };
            return templates.Render(model, isHarmony ? SingleCallTurns.Of(turns) : turns, tools, addGenerationPrompt, options);
        }

        IReadOnlyList<ChatMessage> turns = JoinedTurns.Of(request.Messages);
        try
        {
            return ContinuedTurn.IsAsked(request)
                ? new ContinuedTurn(ModelOutputForms.ThinkingTags(model.Template), RenderTurns).Prompt(turns)
                : RenderTurns(turns, true, request.Think ?? true);
        }
        catch (TemplateException e)
        {
            string whose = request.Template is null ? "the model's chat template" : "the request's template";
            if (e.IsRefusal)
                return ApiError.BadRequest($"{whose} refuses the messages: {e.Message}");
            int status = request.Template is null ? StatusCodes.Status500InternalServerError : StatusCodes.Status400BadRequest;
            return new ApiError(status, $"{whose} is broken: {e.Message}");
        }
    }

    /// <summary>Reasoning is taken apart even where the client asked for none, as some models reason all the same: it is never in the answer's text.</summary>
    private static ThinkingTags? Tags(InferenceRequest request, ModelView model, string prompt)
    {
        if (ModelOutputForms.ThinkingTags(model.Template) is not var (open, close))
            return null;
        bool isOpen = prompt.AsSpan().TrimEnd().EndsWith(open, StringComparison.Ordinal)
            || (ContinuedTurn.IsAsked(request) && ContinuedTurn.EndsBetween(request.Messages[^1].Content, open, close));
        return new ThinkingTags(open, close, isOpen);
    }

    private static AnswerTags? Frame(InferenceRequest request, ModelView model, string prompt)
    {
        AnswerTags? tags = ModelOutputForms.AnswerTags(model.Template, prompt);
        return tags is not null && ContinuedTurn.IsAsked(request) && ContinuedTurn.EndsBetween(prompt, tags.Open, tags.Close) ? tags with { IsBegun = true } : tags;
    }

    private static string? BehindThinking(string? grammar, InferenceRequest request, OutputParsing parsing)
    {
        if (grammar is null)
            return null;
        if (parsing.Harmony is { } begun)
            return begun.Length > 0 || request.Think == false ? grammar : HarmonyGrammar.BehindAnalysis(grammar);
        if (parsing.Addressed is { } header)
            return header.Length > 0 || request.Think == false ? grammar : AddressedGrammar.BehindThinking(grammar);
        bool mayThink = parsing.Thinking is { } tags && (tags.IsOpen || request.Think != false);
        return mayThink ? ThinkingGrammar.Before(grammar, parsing.Thinking!) : grammar;
    }
}
