# frozen_string_literal: true

# Jobs for the Sidekiq tests: run by a real `sidekiq -r` process, pushed by `ruby` with this file.
#
#   ruby sidekiq_worker.rb push  < lines of [class, arguments, seconds to wait, queue]
#
# REDIS_URL names the server, as for Sidekiq itself.

require "sidekiq"
require "json"

Sidekiq.configure_server do |config|
  config.options[:poll_interval_average] = 0.2 # seconds between two looks for jobs that are due
end

class WelcomeMail
  include Sidekiq::Worker

  def perform(user_id)
    user_id
  end
end

# Fails at every attempt and waits long for the next one, so that its retry can be looked at.
class LookUp
  include Sidekiq::Worker
  sidekiq_options retry: 5, backtrace: 10
  sidekiq_retry_in { 600 }

  def perform(user_id)
    raise KeyError, "User #{user_id} \e[31mgone\u202e\r\nnext line"
  end
end

# Fails at its first attempt only: what a race with a commit looks like.
class PassesOnRetry
  include Sidekiq::Worker
  sidekiq_retry_in { 1 }

  def perform(user_id)
    first = Sidekiq.redis { |redis| redis.incr("test:tries:#{user_id}") } == 1
    raise KeyError, "User #{user_id} not found" if first
  end
end

# Has no attempt left after its first one.
class GivesUp
  include Sidekiq::Worker
  sidekiq_options retry: 0

  def perform(_user)
    raise ArgumentError, "nothing to be done"
  end
end

# Runs until its process is ended.
class Endless
  include Sidekiq::Worker

  def perform(_user_id)
    sleep
  end
end

if ARGV.first == "push"
  $stdin.each_line do |line|
    name, arguments, wait, queue = JSON.parse(line)
    job = Object.const_get(name).set(queue: queue || "default")
    puts wait.to_f.positive? ? job.perform_in(wait, *arguments) : job.perform_async(*arguments)
  end
end
