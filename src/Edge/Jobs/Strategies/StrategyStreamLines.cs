using System.Text.Json;
using OllamaMax.Jobs;
using OllamaMax.Orchestrations;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>
/// The lines of the stream of a job with a strategy: <c>{"branch","role","model","status","job_id","jobs"}</c> where a branch has come on, <c>{"branch","offset","text"}</c> with what
/// its job has added to its answer, and the last one with <c>done</c>. After a line with another <c>job_id</c> the branch's text begins anew.
/// </summary>
internal sealed class StrategyStreamLines(LineFrames frames)
{
    public void WriteBranch(BranchView branch)
    {
        using (Utf8JsonWriter json = Begin(branch.Index))
        {
            json.WriteString("role"u8, branch.Role);
            json.WriteString("model"u8, branch.Model);
            json.WriteString("status"u8, JobAnswer.NameOf(branch.Status));
            if (branch.JobId is { } job)
                json.WriteString("job_id"u8, job);
            json.WriteNumber("jobs"u8, branch.Jobs);
            if (branch.Error is { } error)
                json.WriteString("error"u8, error);
            json.WriteEndObject();
        }
        frames.End(id: null);
    }

    /// <summary>Tokens without text yet are no line: the next one counts them in.</summary>
    public void WriteDelta(int branch, JobOutput.Delta delta)
    {
        if (delta is { Text: "", Thinking: "", ToolCalls.Count: 0 })
            return;
        using (Utf8JsonWriter json = Begin(branch))
        {
            json.WriteNumber("offset"u8, delta.Tokens);
            JobStreamLines.WriteContent(json, delta.Text, delta.Thinking, delta.ToolCalls);
            json.WriteEndObject();
        }
        frames.End(id: null);
    }

    public void WriteHeartbeat()
    {
        if (frames.IsEvents)
        {
            frames.Comment();
            return;
        }
        using (Utf8JsonWriter json = frames.Begin())
        {
            json.WriteString("text"u8, "");
            json.WriteEndObject();
        }
        frames.End(id: null);
    }

    public void WriteEnd(StrategyState state, VoteOutcome? vote)
    {
        using (Utf8JsonWriter json = frames.Begin())
        {
            json.WriteBoolean("done"u8, true);
            json.WriteString("status"u8, JobAnswer.NameOf(state.Status));
            if (state.Error is { } error)
                json.WriteString("error"u8, error);
            if (vote is not null)
            {
                json.WritePropertyName("vote"u8);
                JsonSerializer.Serialize(json, VoteAnswer.From(vote), JobsJson.Relaxed.VoteAnswer);
            }
            json.WriteEndObject();
        }
        frames.End("end");
    }

    private Utf8JsonWriter Begin(int branch)
    {
        Utf8JsonWriter json = frames.Begin();
        json.WriteNumber("branch"u8, branch);
        return json;
    }
}
