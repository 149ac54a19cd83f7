using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Cli.Commands;

/// <summary><c>run MODEL</c>: a talk in the terminal; with a prompt, or one from standard input, a single answer.</summary>
internal static class RunCommand
{
    private static readonly Argument<string> Model = new("model") { Description = "Whom to ask" };
    private static readonly Argument<string[]> Prompt = new("prompt") { Description = "What to ask; without one a talk begins, or standard input is the prompt", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> System = new("--system") { Description = "What the model is to keep to" };
    private static readonly Option<double?> Temperature = new("--temperature") { Description = "0 for the likeliest words" };
    private static readonly Option<bool> Think = new("--think") { Description = "Have it think first, where it can; what it thinks goes to standard error" };
    private static readonly Option<bool> NoThink = new("--no-think") { Description = "Have it answer at once" };
    private static readonly Option<bool> Verbose = new("--verbose") { Description = "Counts and speeds after each answer" };

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("run", "Talk to a model") { Model, Prompt, System, Temperature, Think, NoThink, Verbose };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Think) && result.GetValue(NoThink))
                result.AddError("--think and --no-think: give one of them");
        });
        run.Set(command, RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, Edge edge, Screen screen, CancellationToken cancellationToken)
    {
        Talk talk = new(parsed, edge, screen);
        string prompt = string.Join(' ', parsed.GetValue(Prompt) ?? []);
        if (prompt.Length == 0 && !screen.IsInteractive)
            prompt = (await screen.Input.ReadToEndAsync(cancellationToken)).Trim();
        if (prompt.Length > 0)
        {
            await talk.AskAsync(prompt, cancellationToken);
            return;
        }
        if (!screen.IsInteractive)
            throw new EdgeException("there is no prompt: neither on the command line nor on standard input", global::System.Net.HttpStatusCode.BadRequest);
        screen.Note("/clear forgets what was said, Ctrl-C ends an answer, /bye or Ctrl-D the talk");
        while (true)
        {
            screen.Error.Write(">>> ");
            string? line = (await screen.ReadLineAsync(cancellationToken))?.Trim();
            switch (line)
            {
                case null or "/bye":
                    return;
                case "":
                    break;
                case "/clear":
                    talk.Clear();
                    break;
                default:
                    await AskAsync(talk, line, screen, cancellationToken);
                    break;
            }
        }
    }

    /// <summary>A question that is not answered ends no talk.</summary>
    private static async Task AskAsync(Talk talk, string question, Screen screen, CancellationToken cancellationToken)
    {
        try
        {
            await screen.Interrupts.TryRunAsync(part => talk.AskAsync(question, part), cancellationToken);
        }
        catch (EdgeException e)
        {
            screen.Tell(e);
        }
    }

    /// <summary>What was said so far.</summary>
    private sealed class Talk(ParseResult parsed, Edge edge, Screen screen)
    {
        private readonly List<(string Role, string Content)> _said = [];

        public void Clear() => _said.Clear();

        /// <summary>Prints the answer as it comes. One that fails is as if it had never been asked for; one that is broken off counts as far as it came.</summary>
        public async Task AskAsync(string prompt, CancellationToken cancellationToken)
        {
            _said.Add(("user", prompt));
            StringBuilder answer = new();
            bool isAnswered = false;
            try
            {
                JsonElement last = await AnswerAsync(answer, cancellationToken);
                isAnswered = true;
                if (parsed.GetValue(Verbose) && last.Number("eval_count") is { } tokens)
                    screen.Note($"{tokens} tokens in {last.Number("eval_duration") / 1e9:0.00} s ({tokens / Math.Max(1e-9, (last.Number("eval_duration") ?? 0) / 1e9):0.0}/s), prompt of {last.Shown("prompt_eval_count")}, {last.Number("total_duration") / 1e9:0.00} s in all");
            }
            catch (OperationCanceledException)
            {
                isAnswered = answer.Length > 0;
                throw;
            }
            finally
            {
                if (isAnswered)
                    _said.Add(("assistant", answer.ToString()));
                else
                    _said.RemoveAt(_said.Count - 1);
            }
        }

        /// <returns>The last line, with counts.</returns>
        private async Task<JsonElement> AnswerAsync(StringBuilder answer, CancellationToken cancellationToken)
        {
            JsonElement last = default;
            bool isThinking = false, isLineOpen = false;
            try
            {
                await foreach (JsonElement line in edge.StreamAsync(HttpMethod.Post, "api/chat", Body(), cancellationToken))
                {
                    last = line;
                    string text = line.Member("message").Text("content") ?? "";
                    answer.Append(text);
                    if (screen.IsJson)
                    {
                        screen.Line(line.ToString());
                        continue;
                    }
                    if (line.Member("message").Text("thinking") is { Length: > 0 } thought)
                    {
                        screen.Aside(thought);
                        isThinking = true;
                    }
                    if (text.Length == 0)
                        continue;
                    EndThinking();
                    isLineOpen = true;
                    await screen.Output.WriteAsync(text);
                    await screen.Output.FlushAsync(cancellationToken);
                }
                isLineOpen = !screen.IsJson;
                return last;
            }
            finally
            {
                EndThinking();
                if (isLineOpen)
                    screen.Line("");
            }

            void EndThinking()
            {
                if (isThinking)
                    screen.Note("");
                isThinking = false;
            }
        }

        private JsonObject Body()
        {
            JsonArray messages = [];
            if (parsed.GetValue(System) is { } system)
                messages.Add(new JsonObject { ["role"] = "system", ["content"] = system });
            foreach ((string role, string content) in _said)
                messages.Add(new JsonObject { ["role"] = role, ["content"] = content });
            JsonObject body = new() { ["model"] = parsed.GetRequiredValue(Model), ["messages"] = messages };
            if (parsed.GetValue(Think) || parsed.GetValue(NoThink))
                body["think"] = parsed.GetValue(Think);
            if (parsed.GetValue(Temperature) is { } temperature)
                body["options"] = new JsonObject { ["temperature"] = temperature };
            return body;
        }
    }
}
