# frozen_string_literal: true

# Jobs for the delayed_job tests: `ruby delayed_job_worker.rb COMMAND [JSON]`, DATABASE_URL set.
#
#   schema               the table, by the library's own migration
#   enqueue [[class, arguments, seconds to wait], …]    ids on standard output
#   work                 a real worker, until SIGTERM
#   load FILE            what delayed_job does with a handler before it runs a job

require "active_record"
require "erb"
require "json"
require "delayed_job_active_record"

$stdout.sync = true

ActiveRecord::Base.establish_connection(ENV.fetch("DATABASE_URL")) if ENV["DATABASE_URL"]
ActiveRecord::Base.default_timezone = :utc
Delayed::Worker.sleep_delay = 0.2 # seconds between two looks for jobs that are due
Delayed::Worker.destroy_failed_jobs = false

WelcomeMail = Struct.new(:user_id) do
  def perform
    user_id
  end
end

# Fails at every attempt; delayed_job's own back-off says when the next one is.
LookUp = Struct.new(:user_id) do
  def perform
    raise KeyError, "User #{user_id} \e[31mgone\u202e\r\nnext line"
  end
end

# Has no attempt left after its first one.
GivesUp = Struct.new(:user_id) do
  def perform
    raise ArgumentError, "nothing to be done"
  end

  def max_attempts
    1
  end
end

# Runs until its process is ended.
Endless = Struct.new(:flag) do
  def perform
    File.write(flag, "")
    sleep
  end
end

# Loading one of these writes a file.
class Trap
  def init_with(coder)
    File.write(coder["path"], "")
  end
end

def schema
  library = $LOADED_FEATURES.grep(/delayed_job_active_record\.rb$/).first
  folder = File.expand_path("../..", library)
  source = File.read("#{folder}/lib/generators/delayed_job/templates/migration.rb")
  migration_version = "[#{ActiveRecord::VERSION::STRING.to_f}]"
  eval(ERB.new(source).result(binding)) # rubocop:disable Security/Eval
  ActiveRecord::Migration.suppress_messages { CreateDelayedJobs.up }
end

case ARGV.first
when "schema"
  schema
when "enqueue"
  JSON.parse(ARGV[1]).each do |name, arguments, wait|
    due = wait.to_f.positive? ? { run_at: Time.now.utc + wait } : {}
    job = Delayed::Job.enqueue(Object.const_get(name).new(*arguments), queue: "mails", **due)
    puts job.id
  end
when "work"
  Delayed::Worker.new(quiet: false).start
when "load"
  YAML.load_dj(File.read(ARGV[1]))
end
